/** Bounds of an exponential back-off, milliseconds. */
export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

/**
 * How long to wait before trying again after the `attempt`-th failure in a row (the first is 1): doubling from
 * `baseMs` to `maxMs`, and of that between a half and the whole, so that many clients do not return together.
 */
export function backoffDelay(attempt: number, { baseMs, maxMs }: BackoffLimits, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return full * (0.5 + 0.5 * random());
}
