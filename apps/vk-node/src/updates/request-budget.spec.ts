import { jest } from '@jest/globals';
import { RequestBudget, type RequestKind } from './request-budget.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const never = new AbortController().signal;

it('lets so many a second through, tokens before objects', async () => {
  const budget = new RequestBudget(5);
  const passed: string[] = [];
  const ask = (kind: RequestKind, name: string) => budget.take(kind, never).then(() => passed.push(name));
  const all = [ask('object', 'o1'), ask('object', 'o2'), ask('token', 't1'), ask('token', 't2')];
  await jest.advanceTimersByTimeAsync(1);
  expect(passed).toEqual(['t1']);
  await jest.advanceTimersByTimeAsync(200);
  expect(passed).toEqual(['t1', 't2']);
  await jest.advanceTimersByTimeAsync(400);
  await Promise.all(all);
  expect(passed).toEqual(['t1', 't2', 'o1', 'o2']);
});

it('never lets a burst through, however long it was idle', async () => {
  const budget = new RequestBudget(5);
  let passed = 0;
  await jest.advanceTimersByTimeAsync(60_000);
  for (let index = 0; index < 100; index++) void budget.take('object', never).then(() => passed++);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(passed).toBeGreaterThanOrEqual(50);
  expect(passed).toBeLessThanOrEqual(51);
});

it('lets whoever gives up go, without costing others their turn', async () => {
  const budget = new RequestBudget(5);
  const stop = new AbortController();
  let passed = 0;
  const gone = [budget.take('token', stop.signal), budget.take('token', stop.signal)];
  const stays = budget.take('object', never).then(() => passed++);
  stop.abort();
  await Promise.all(gone);
  await jest.advanceTimersByTimeAsync(1);
  await stays;
  expect(passed).toBe(1);
});
