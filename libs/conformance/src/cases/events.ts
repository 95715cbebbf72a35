import { bookmarkSeconds } from '@interlink/contract';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded, isRunning } from '../container-state.ts';
import type { CaseContext } from '../case-context.ts';
import type { TestPod } from '../test-pod.ts';

async function running(context: CaseContext, script = 'sleep 600'): Promise<TestPod> {
  const pod = await context.start({ script });
  await context.until(pod, 'the start of the pod', isRunning);
  return pod;
}

export const eventCases = section('events', 'extensions', [
  {
    name: 'snapshot',
    title: 'The present state comes first, then synced with snapshot: true',
    needs: 'events',
    async run(context) {
      const pods = [await running(context), await running(context)];
      const reader = await context.events();
      const { snapshot } = await reader.synced();
      same(snapshot, true, 'snapshot');
      const told = pods.map(({ uid }) => reader.statusesOf(uid).filter(isRunning).length > 0);
      same(told, [true, true], 'both pods said to run before synced');
    },
  },
  {
    name: 'changes',
    title: 'Then each change comes by itself: start and end, in that order',
    needs: 'events',
    async run(context) {
      const reader = await context.events();
      await reader.synced();
      const pod = await context.start({ script: 'sleep 2; exit 3' });
      await reader.status('the start of the pod', pod.uid, isRunning);
      const end = await reader.status('the end of the pod', pod.uid, hasEnded);
      same(exitCodeOf(end), 3, 'exit code');
    },
  },
  {
    name: 'cursor',
    title: 'With a cursor only what is new since then comes, and synced says snapshot: false',
    needs: 'events',
    async run(context) {
      const [changed, quiet] = [await running(context), await running(context)];
      const first = await context.events();
      const { cursor } = await first.synced();
      first.cut();
      await context.delete(changed, 0);
      await context.until(changed, 'the end of the pod', hasEnded);
      const second = await context.events(cursor);
      const { snapshot } = await second.synced();
      same(snapshot, false, 'snapshot');
      const last = second.statusesOf(changed.uid).at(-1);
      check(last !== undefined && hasEnded(last), `the end is missing: ${show(last)}`);
      same(second.statusesOf(quiet.uid), [], 'lines of the pod that did not change');
    },
  },
  {
    name: 'unknown-cursor',
    title: 'A cursor that the server does not know begins a snapshot',
    needs: 'events',
    async run(context) {
      const pod = await running(context);
      for (const cursor of ['conformance.1', 'nonsense', '']) {
        const reader = await context.events(cursor);
        same((await reader.synced()).snapshot, true, `snapshot with cursor ${show(cursor)}`);
        check(reader.statusesOf(pod.uid).some(isRunning), `cursor ${show(cursor)}: the pod is missing`);
        reader.cut();
      }
    },
  },
  {
    name: 'reconnect',
    title: 'A stream that is cut goes on from its last cursor: nothing is lost',
    needs: 'events',
    async run(context) {
      const reader = await context.events();
      await reader.synced();
      const pod = await context.start({ script: 'trap "exit 5" TERM; echo up; while :; do sleep 0.2; done' });
      await reader.status('the start of the pod', pod.uid, isRunning);
      reader.cut();
      while ((await context.logs(pod)) !== 'up\n');
      await context.delete(pod, 20);
      const again = await context.events(reader.lastCursor);
      const end = await again.status('the end of the pod', pod.uid, hasEnded);
      same(exitCodeOf(end), 5, 'exit code');
    },
  },
  {
    name: 'two-readers',
    title: 'Two readers hear the same',
    needs: 'events',
    async run(context) {
      const readers = [await context.events(), await context.events()];
      await Promise.all(readers.map((reader) => reader.synced()));
      const pod = await context.start({ script: 'exit 0' });
      const [one, other] = await Promise.all(
        readers.map((reader) => reader.status('the end of the pod', pod.uid, hasEnded)),
      );
      same(one, other, 'the last status');
    },
  },
  {
    name: 'bookmark',
    title: 'A quiet stream gives a bookmark within 20 s, from which one can go on',
    needs: 'events',
    async run(context) {
      const reader = await context.events();
      await reader.synced();
      const before = performance.now();
      const bookmark = await reader.until('a bookmark', ({ type }) => type === 'bookmark');
      const seconds = (performance.now() - before) / 1000;
      check(seconds < bookmarkSeconds + 5, `the bookmark came after ${seconds.toFixed(1)} s`);
      check(bookmark.type === 'bookmark', 'a bookmark');
      same(
        (await (await context.events(bookmark.cursor)).synced()).snapshot,
        false,
        "snapshot from the bookmark's cursor",
      );
    },
  },
]);
