import { cumulative, largest, median, percentile } from './statistics.ts';

describe('percentile', () => {
  it('is a value of the sample, by nearest rank', () => {
    const sample = [30, 10, 20, 50, 40];
    expect([0.5, 0.95, 1, 0].map((part) => percentile(sample, part))).toEqual([30, 50, 50, 10]);
    expect(percentile([7], 0.5)).toBe(7);
  });
  it('of nothing is no number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 100])).toBe(3.5);
    expect(median([])).toBeNaN();
  });
});

it('the largest of more values than a call may have arguments', () => {
  expect(largest(Array.from({ length: 300_000 }, (_, index) => index))).toBe(299_999);
});

describe('cumulative', () => {
  it('counts what had happened, in seconds after the start', () => {
    expect(cumulative([3_000, 1_500, 2_000], 1_000)).toEqual([
      [0, 0],
      [0.5, 1],
      [1, 2],
      [2, 3],
    ]);
  });
  it('is bounded, and ends with all', () => {
    const points = cumulative(
      Array.from({ length: 1_001 }, (_, index) => index),
      0,
      10,
    );
    expect(points).toHaveLength(11);
    expect(points.at(-1)).toEqual([1, 1_001]);
  });
});
