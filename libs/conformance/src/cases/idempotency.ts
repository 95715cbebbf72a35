import { refused } from '../answer.ts';
import { same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { hasEnded, isRunning, stateOf } from '../container-state.ts';

export const idempotencyCases = section('idempotency', 'extensions', [
  {
    name: 'at-once',
    title: 'The same create five times at once: one job, one PodJID, run once',
    async run(context) {
      const pod = context.pod({ script: 'echo ran' });
      const replies = await Promise.all(Array.from({ length: 5 }, () => context.create(pod)));
      same(new Set(replies.map(({ PodJID }) => PodJID)).size, 1, 'number of different PodJIDs');
      const status = await context.until(pod, 'the end of the pod', hasEnded);
      same(await context.logs(pod), 'ran\n', 'log');
      same(
        status.containers?.map(({ restartCount }) => restartCount),
        [0],
        'restartCount',
      );
    },
  },
  {
    name: 'running',
    title: 'A create of a pod that runs answers its PodJID and leaves it alone',
    async run(context) {
      const pod = context.pod({ script: 'sleep 600' });
      const first = await context.create(pod);
      const before = await context.until(pod, 'the start of the pod', isRunning);
      same(await context.create(pod), first, 'reply');
      const [after] = await context.statuses([pod]);
      same(after && stateOf(after), stateOf(before), 'state of the container');
    },
  },
  {
    name: 'ended',
    title: 'A create of a pod that has ended does not run it again',
    async run(context) {
      const pod = context.pod({ script: 'echo ran' });
      const first = await context.create(pod);
      const before = await context.until(pod, 'the end of the pod', hasEnded);
      same(await context.create(pod), first, 'reply');
      const [after] = await context.statuses([pod]);
      same(after && stateOf(after), stateOf(before), 'state of the container');
      same(await context.logs(pod), 'ran\n', 'log');
    },
  },
]);

export const tombstoneCases = section('tombstone', 'extensions', [
  {
    name: 'deleted',
    title: 'A create after a delete of the same UID is Gone (410), at once and once the pod has ended',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      await context.delete(pod, 0);
      refused(await context.sendCreate(pod), 'create right after the delete', 'Gone');
      await context.until(pod, 'the end of the pod', hasEnded);
      refused(await context.sendCreate(pod), 'create after the end', 'Gone');
    },
  },
  {
    name: 'unknown',
    title: 'A delete of an unknown pod leaves a tombstone: a create that comes late is Gone',
    async run(context) {
      const pod = context.pod({ script: 'exit 0' });
      await context.delete(pod);
      refused(await context.sendCreate(pod), 'create after a delete of the unknown', 'Gone');
      same(await context.statuses([pod]), [], 'status');
    },
  },
  {
    name: 'last-word',
    title: 'The last status of a deleted pod stays to be asked for',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      await context.delete(pod, 0);
      await context.until(pod, 'the end of the pod', hasEnded);
    },
  },
]);
