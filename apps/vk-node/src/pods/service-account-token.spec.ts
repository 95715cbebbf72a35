import { refreshTime } from './service-account-token.ts';

const hour = 3_600_000;

it.each([
  [hour, 0.8 * hour],
  [600_000, 480_000],
  [365 * 24 * hour, 24 * hour],
  [30 * hour, 24 * hour],
])('a token that lives %d ms is asked for again after %d', (life, expected) => {
  expect(refreshTime(1000, 1000 + life)).toBe(1000 + expected);
});
