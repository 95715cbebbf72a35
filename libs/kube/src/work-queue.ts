import { backoffDelay } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { Fifo } from './fifo.ts';

export interface WorkQueueOptions {
  /** Keys worked on at a time. */
  concurrency: number;
  /** Does the work of one key, from scratch each time; the signal aborts with that of `run`. */
  handler: (key: string, signal: AbortSignal) => Promise<void>;
  /** Told of every failure, `attempt` counting from 1; the key is tried again. Must not throw. */
  onError: (key: string, error: unknown, attempt: number) => void;
  baseDelayMs?: number | undefined;
  maxDelayMs?: number | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
}

/**
 * Keys to work on, first come first served, each at most once in the queue and never twice at a time: a key that is
 * added while it is worked on runs once more afterwards. A failed key comes back with back-off until it succeeds.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #ready = new Fifo<string>();
  readonly #waiting = new Set<string>();
  readonly #delayed = new Map<string, { due: number; cancel: () => void }>();
  readonly #running = new Set<string>();
  /** Of the running ones, those to run again. */
  readonly #dirty = new Set<string>();
  readonly #failures = new Map<string, number>();
  #signal: AbortSignal | undefined;
  #stopped = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keys that wait for their turn. */
  get length(): number {
    return this.#waiting.size + this.#dirty.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  /** Queues a key now, also one that is delayed. */
  add(key: string): void {
    if (this.#stopped) return;
    this.#undelay(key);
    if (this.#running.has(key)) {
      this.#dirty.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#waiting.add(key);
    this.#ready.push(key);
    this.#pump();
  }

  /** Queues a key `ms` from now; of several times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) return this.add(key);
    if (this.#stopped || this.#waiting.has(key) || this.#dirty.has(key)) return;
    const due = this.#clock.now() + ms;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.due <= due) return;
    known?.cancel();
    this.#delayed.set(key, { due, cancel: this.#clock.schedule(ms, () => this.add(key)) });
  }

  /** Brings every delayed key forward. */
  hurry(): void {
    for (const key of [...this.#delayed.keys()]) this.add(key);
  }

  /** Works until `signal` aborts or `stop` is called; then waits for those in flight. What waits is dropped. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#halt();
    if (signal.aborted) this.#halt();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#signal = signal;
    this.#pump();
    await this.#ended();
    signal.removeEventListener('abort', onAbort);
  }

  /** Takes nothing more up and waits for those in flight, without aborting them. */
  async stop(): Promise<void> {
    this.#halt();
    await this.idle();
  }

  /** Resolves when nothing is ready or in flight; delayed keys do not count. */
  async idle(): Promise<void> {
    while (!this.#isIdle()) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async #ended(): Promise<void> {
    while (!this.#stopped || !this.#isIdle()) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0;
  }

  #halt(): void {
    this.#stopped = true;
    for (const key of [...this.#delayed.keys()]) this.#undelay(key);
    this.#ready.clear();
    this.#waiting.clear();
    this.#dirty.clear();
    this.#settle();
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    const resolvers = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of resolvers) resolve();
  }

  #undelay(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    while (!this.#stopped && this.#running.size < this.#options.concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      // Not lost sight of: #running keeps it, and #work never rejects.
      void this.#work(key, signal);
    }
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    let delay: number | undefined;
    try {
      await this.#options.handler(key, signal);
      this.#failures.delete(key);
    } catch (error) {
      if (!signal.aborted) delay = this.#failed(key, error);
    }
    this.#running.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    else if (delay !== undefined) this.addAfter(key, delay);
    this.#pump();
    this.#settle();
  }

  #failed(key: string, error: unknown): number {
    const attempt = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, attempt);
    this.#options.onError(key, error, attempt);
    const { baseDelayMs: baseMs = 200, maxDelayMs: maxMs = 30_000, random = Math.random } = this.#options;
    return backoffDelay(attempt, { baseMs, maxMs }, random);
  }
}
