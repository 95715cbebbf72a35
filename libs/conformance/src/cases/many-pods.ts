import { atMost } from '../at-most.ts';
import { check, same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { hasEnded } from '../container-state.ts';

/** In one question about statuses. */
const many = 200;
/** That change while a reader does not read. */
const count = 50;
const atOnce = 16;

/** Apart from the other rows of their sections, and last: a site has to digest them. */
export const manyStatusesCases = section('status', 'core', [
  {
    name: 'many',
    title: `${many} pods in one request without their specs: an entry for each`,
    async run(context) {
      const pods = Array.from({ length: many }, () => context.pod({ script: 'sleep 600' }));
      await atMost(atOnce, pods, (pod) => context.create(pod));
      // One entry tells that the site has begun to look; the others must then be there at the same moment.
      const last = pods.at(-1);
      if (last !== undefined) await context.until(last, 'an entry for the last pod', () => true);
      const statuses = await context.statuses(pods);
      const missing = pods.filter(({ uid }) => !statuses.some(({ UID }) => UID === uid)).length;
      same({ entries: statuses.length, missing }, { entries: many, missing: 0 }, 'answer');
    },
  },
]);

export const slowReaderCases = section('events', 'extensions', [
  {
    name: 'slow-reader',
    title: `A reader that stops reading while ${count} pods change hurts nobody, and misses nothing`,
    needs: 'events',
    async run(context) {
      const [slow, fast] = [await context.events(), await context.events()];
      await Promise.all([slow.synced(), fast.synced()]);
      const pods = Array.from({ length: count }, () => context.pod({ script: 'sleep 600' }));
      const waiting = new Set(pods.map(({ uid }) => uid));
      await Promise.all([
        atMost(atOnce, pods, async (pod) => {
          await context.create(pod);
          await context.delete(pod, 0);
        }),
        fast.until(`the end of all ${count} pods`, (event) => {
          if (event.type === 'status' && hasEnded(event.status)) waiting.delete(event.status.UID);
          return waiting.size === 0;
        }),
      ]);
      const missed = new Set(pods.map(({ uid }) => uid));
      await slow.until(`the end of all ${count} pods, for the reader that had stopped`, (event) => {
        if (event.type === 'status' && hasEnded(event.status)) missed.delete(event.status.UID);
        return missed.size === 0;
      });
      const lasts = pods.map(({ uid }) => [slow.statusesOf(uid).at(-1), fast.statusesOf(uid).at(-1)]);
      check(
        lasts.every(([one]) => one !== undefined && hasEnded(one)),
        'a pod that had ended was said not to',
      );
      same(
        lasts.map(([one]) => one),
        lasts.map(([, other]) => other),
        'the last statuses of both readers',
      );
    },
  },
]);
