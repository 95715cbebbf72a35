import { ExpiringCache } from './expiring-cache.ts';

it('forgets after its time, and the oldest first when it is full', () => {
  let now = 0;
  const cache = new ExpiringCache<number>({ ttlMs: 10, maxEntries: 2, now: () => now });
  cache.set('a', 1);
  now = 9;
  expect(cache.get('a')).toBe(1);
  now = 10;
  expect(cache.get('a')).toBeUndefined();
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('b', 4);
  cache.set('c', 5);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 4, 5]);
});
