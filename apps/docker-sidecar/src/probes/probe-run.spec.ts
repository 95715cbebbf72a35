import { countResult, firstProbeAt, freshRun, nextProbeAt } from './probe-run.ts';

describe('thresholds', () => {
  it.each<[string, string, string]>([
    // results, then the verdict after each: + healthy, - not, . none
    ['+', 'one success is enough', '+'],
    ['--', 'two failures are not', '..'],
    ['---', 'three are', '..-'],
    ['--+--', 'they must come in a row', '..+..'],
    ['---+', 'one success brings it back', '..-+'],
    ['----', 'and it stays so', '..--'],
  ])('%s: %s', (results, _, expected) => {
    let run = freshRun;
    const verdicts = [...results].map((result) => {
      const counted = countResult(run, result === '+', { successThreshold: 1, failureThreshold: 3 });
      ({ run } = counted);
      return counted.verdict === undefined ? '.' : counted.verdict ? '+' : '-';
    });
    expect(verdicts.join('')).toBe(expected);
  });

  it('of successes count for readiness', () => {
    const first = countResult(freshRun, true, { successThreshold: 2, failureThreshold: 1 });
    expect(first.verdict).toBeUndefined();
    expect(countResult(first.run, true, { successThreshold: 2, failureThreshold: 1 }).verdict).toBe(true);
  });
});

describe('times', () => {
  it.each([
    ['at once', 0, 0, 0, 0],
    ['after the initial delay', 1000, 0, 5, 6000],
    ['after the gate has opened', 1000, 9000, 5, 9000],
  ])('the first probe comes %s', (_, startedAt, openSince, initialDelaySeconds, expected) =>
    expect(firstProbeAt(startedAt, openSince, { initialDelaySeconds })).toBe(expected),
  );

  it.each([
    ['at the next tick', 1000, 1300, 3000],
    ['not at one that is over', 1000, 5500, 7000],
    ['on a tick: at once', 1000, 5000, 5000],
    ['never twice for one', 1000, 1000, 3000],
  ])('the next comes %s', (_, previous, now, expected) =>
    expect(nextProbeAt(previous, now, { periodSeconds: 2 })).toBe(expected),
  );
});
