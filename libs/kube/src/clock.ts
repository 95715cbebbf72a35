/** Time as an argument, so that tests decide when it passes. */
export interface Clock {
  /** Monotonic milliseconds: only differences mean something. */
  now(): number;
  /** Wall time, for the timestamps written into objects. Never compare it with another machine's. */
  date(): Date;
  /** Calls back once after `ms`; the returned function cancels. */
  schedule(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  schedule: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` aborts: the caller looks at the signal anyway. */
export function sleep(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.schedule(ms, wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
