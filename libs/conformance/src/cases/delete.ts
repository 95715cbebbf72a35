import { check, same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded, isRunning } from '../container-state.ts';
import type { CaseContext } from '../case-context.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok } from '../answer.ts';
import { podRef, type TestPod } from '../test-pod.ts';

export const deleteCases = section('delete', 'core', [
  {
    name: 'graceful',
    title: 'A delete sends SIGTERM and lets the pod end within its grace period, no longer',
    async run(context) {
      const pod = await context.start({ script: 'trap "exit 4" TERM; echo up; while :; do sleep 0.2; done' });
      await isUp(context, pod);
      const before = performance.now();
      await context.delete(pod, 25);
      same(await endOf(context, pod), 4, 'exit code');
      check(performance.now() - before < 20_000, 'the whole grace period was waited for, though the pod had ended');
    },
  },
  {
    name: 'grace-over',
    title: 'What ignores SIGTERM is killed when the grace period is over: exit code 137',
    async run(context) {
      const pod = await context.start({ script: 'trap "" TERM; echo up; while :; do sleep 0.2; done' });
      await isUp(context, pod);
      await context.delete(pod, 1);
      same(await endOf(context, pod), 137, 'exit code');
    },
  },
  {
    name: 'twice',
    title: 'A delete may be repeated, also five times at once',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      await Promise.all(Array.from({ length: 5 }, () => context.delete(pod, 0)));
      await endOf(context, pod);
      await context.delete(pod, 0);
    },
  },
  {
    name: 'unknown',
    title: 'A delete of an unknown pod succeeds',
    async run(context) {
      await context.delete(context.pod({ script: 'true' }));
    },
  },
  {
    name: 'whole-pod',
    title: 'A delete with the whole pod, as interLink sends it, does the same',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      ok(await context.call('delete', { ...pod.pod, ...podRef(pod, 0), status: { phase: 'Running' } }), 'delete');
      await endOf(context, pod);
    },
  },
]);

/** Running is too early: the trap must be there. */
async function isUp(context: CaseContext, pod: TestPod): Promise<void> {
  await context.until(pod, 'the start of the pod', isRunning);
  while ((await context.logs(pod)) !== 'up\n') await sleep(100, undefined, { signal: context.signal });
}

/** A deleted pod may be forgotten at once, but it must not be said to run for ever. @returns the exit code, if told. */
async function endOf(context: CaseContext, pod: TestPod): Promise<number | undefined> {
  for (;;) {
    const [status] = await context.statuses([pod]);
    if (status === undefined) return undefined;
    if (hasEnded(status)) return exitCodeOf(status);
    await sleep(100, undefined, { signal: context.signal });
  }
}
