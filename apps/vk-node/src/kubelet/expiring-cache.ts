interface Entry<T> {
  readonly value: T;
  readonly until: number;
}

/** Answers that stay good for a short time; the oldest make room for new ones. */
export class ExpiringCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #options: { ttlMs: number; maxEntries: number; now: () => number };

  /** `now` is a monotonic clock, ms. */
  constructor(options: { ttlMs: number; maxEntries: number; now: () => number }) {
    this.#options = options;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#options.now() < entry.until ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    const { ttlMs, maxEntries, now } = this.#options;
    // Anew at the end: a Map keeps the order of insertion, so the first is the oldest.
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: now() + ttlMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }
}
