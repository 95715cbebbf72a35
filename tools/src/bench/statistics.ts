/** The value below or at which this part (0 to 1) of the sample lies, by nearest rank. NaN of an empty sample. */
export function percentile(sample: readonly number[], part: number): number {
  const sorted = [...sample].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** The middle value; of an even number the mean of the two in the middle. NaN of an empty sample. */
export function median(sample: readonly number[]): number {
  const sorted = [...sample].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Spread has a bound on its arguments; a bench may have more pods than that. */
export function largest(sample: Iterable<number>): number {
  let most = -Infinity;
  for (const value of sample) most = Math.max(most, value);
  return most;
}

export type Point = readonly [seconds: number, count: number];

/** How many had happened by when: moments in ms, as at most `steps` points in seconds after `startMs`. */
export function cumulative(momentsMs: readonly number[], startMs: number, steps = 100): Point[] {
  const sorted = [...momentsMs].sort((one, other) => one - other);
  const points: Point[] = [[0, 0]];
  for (let step = 1; step <= Math.min(steps, sorted.length); step++) {
    const count = Math.ceil((step / Math.min(steps, sorted.length)) * sorted.length);
    points.push([((sorted[count - 1] ?? startMs) - startMs) / 1000, count]);
  }
  return points;
}
