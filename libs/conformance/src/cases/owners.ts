import { refused } from '../answer.ts';
import type { CaseContext } from '../case-context.ts';
import { logBody } from '../log-body.ts';
import { check, same, skip } from '../check.ts';
import { section } from '../conformance-case.ts';
import { hasEnded, isRunning } from '../container-state.ts';
import { podRef, type TestPod } from '../test-pod.ts';

/** A key may be bound to one owner: then nothing here can be tried. */
async function mayActForOther(context: CaseContext): Promise<string> {
  const { otherOwner: owner } = context.target;
  const { status } = await context.call('status', [podRef(context.pod({ script: 'true' }))], { owner });
  if (status === 403) skip(`these credentials may not act for a second owner (${owner})`);
  return owner;
}

async function started(context: CaseContext): Promise<TestPod> {
  const pod = await context.start({ script: 'echo secret; sleep 600' });
  await context.until(pod, 'the start of the pod', isRunning);
  return pod;
}

export const ownerCases = section('owners', 'extensions', [
  {
    name: 'same-uid',
    title: 'Two owners with the same UID have two jobs',
    async run(context) {
      const other = await mayActForOther(context);
      const mine = context.pod({ script: 'echo mine; sleep 600' });
      const theirs = context.pod({ script: 'echo theirs; exit 6', uid: mine.uid });
      const { PodJID } = await context.create(mine);
      const reply = await context.create(theirs, other);
      check(PodJID !== reply.PodJID, `both have the job ${PodJID}`);
      await context.until(theirs, "the end of the other owner's pod", hasEnded, other);
      same((await context.until(mine, 'the start of the pod', isRunning)).JID, PodJID, 'JID');
    },
  },
  {
    name: 'read',
    title: 'Another owner gets neither the status nor the log of a pod',
    async run(context) {
      const other = await mayActForOther(context);
      const pod = await started(context);
      same(await context.statuses([pod], other), [], 'status for another owner');
      refused(await context.call('logs', logBody(pod), { owner: other }), 'log for another owner', 'NotFound');
    },
  },
  {
    name: 'delete',
    title: 'A delete by another owner touches nothing, and its tombstone is its own',
    async run(context) {
      const other = await mayActForOther(context);
      const pod = await started(context);
      await context.delete(pod, 0, other);
      const late = await started(context);
      same((await context.statuses([pod, late])).map(isRunning), [true, true], 'still running');
      const first = context.pod({ script: 'exit 0' });
      await context.delete(first, 0, other);
      await context.create(first);
    },
  },
  {
    name: 'events',
    title: "Another owner's event stream says nothing of a pod",
    needs: 'events',
    async run(context) {
      const other = await mayActForOther(context);
      const pod = await started(context);
      const reader = await context.events(undefined, other);
      await reader.synced();
      await context.delete(pod, 0);
      await context.until(pod, 'the end of the pod', hasEnded);
      const theirs = context.pod({ script: 'exit 0' });
      await context.create(theirs, other);
      await reader.status('the status of its own pod', theirs.uid, hasEnded);
      same(reader.statusesOf(pod.uid), [], "another owner's lines");
    },
  },
  {
    name: 'malformed',
    title: 'An owner that is not of the form CLUSTER/NODE is refused',
    async run(context) {
      for (const owner of ['a b', '../..', 'x'.repeat(1000), 'a/b/c']) {
        refused(
          await context.call('status', [podRef(context.pod({ script: 'true' }))], { owner }),
          `owner ${owner.slice(0, 20)}`,
        );
      }
      await context.alive('what was refused');
    },
  },
]);
