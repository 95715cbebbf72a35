import type { Clock } from '../clock.ts';

interface Timer {
  due: number;
  callback: () => void;
}

/** A clock that stands still until it is told to advance. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2030, 0, 1) + this.#now);
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { due: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Fires what is due, in its order, and lets the promises in between run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await turn();
      const next = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }
}

/** A clock on which time flies `speed` times as fast. */
export function fastClock(speed: number): Clock {
  const start = Date.now();
  const startedAt = performance.now();
  const now = (): number => (performance.now() - startedAt) * speed;
  return {
    now,
    date: () => new Date(start + now()),
    schedule: (ms, callback) => {
      const timer = setTimeout(callback, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}

/** Lets pending promises and one round of I/O run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for something another part brings about. */
export async function until(condition: () => boolean, limitMs = 4000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`did not come about within ${limitMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
