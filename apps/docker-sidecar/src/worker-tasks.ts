/** Work of one pod in the background: one at a time for each key, tried again later and later when it fails. */
export class WorkerTasks {
  readonly #running = new Map<string, Promise<void>>();
  readonly #resting = new Map<string, { failures: number; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Begins the work unless it is under way, or is resting after a failure: then returns when it may be tried again.
   * `settled` is called after each end, with what the work has thrown.
   */
  begin(key: string, work: () => Promise<void>, settled: (thrown: unknown) => void): number | undefined {
    if (this.#running.has(key)) return undefined;
    const rest = this.#resting.get(key);
    if (rest !== undefined && rest.until > this.#now()) return rest.until;
    const end = (thrown?: unknown) => {
      this.#running.delete(key);
      if (thrown === undefined) this.#resting.delete(key);
      else this.#rest(key);
      settled(thrown);
    };
    this.#running.set(
      key,
      work().then(
        () => end(),
        (thrown: unknown) => end(thrown ?? new Error(`${key} failed`)),
      ),
    );
    return undefined;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #rest(key: string): void {
    const failures = (this.#resting.get(key)?.failures ?? 0) + 1;
    const delay = Math.min(30_000, 500 * 2 ** Math.min(failures - 1, 6)) * (0.5 + Math.random());
    this.#resting.set(key, { failures, until: this.#now() + delay });
  }
}
