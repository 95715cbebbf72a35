import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStatus, Pod } from '@interlink/contract';
import { explained } from './support/explain.ts';
import { lifecyclePods, type Entry } from './support/lifecycle-pods.ts';
import {
  createPod,
  getPod,
  image,
  deletePod,
  logs,
  podEnded,
  podGone,
  podRunning,
  podWhere,
  startWorld,
  type World,
} from './support/world.ts';

const statusOf = ({ status }: Pod, name = 'main'): ContainerStatus | undefined =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((one) => one.name === name);
const conditionOf = ({ status }: Pod, type: string) => status?.conditions?.find((one) => one.type === type);
const restartsOf = (pod: Pod, name?: string) => statusOf(pod, name)?.restartCount ?? 0;

/** Lines `WHAT UPTIME` of a container's log: all containers read the same clock. */
async function entries(world: World, pod: string, ...args: string[]): Promise<Map<string, number>> {
  const lines = (await logs(world, pod, ...args)).trim().split('\n');
  const parsed: Entry[] = lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]);
  return new Map(parsed);
}

function gap(times: Map<string, number>, from: string, to: string): number {
  const [start, end] = [times.get(from), times.get(to)];
  if (start === undefined || end === undefined) throw new Error(`no ${from} or ${to} in ${JSON.stringify([...times])}`);
  return end - start;
}

describe('the life of a pod, in full', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('full');
  });
  afterAll(() => world.stop());
  /** Few pods at a time, so that what is timed is not the machine's own load. */
  const shown = async (names: string[], work: () => Promise<void>) => {
    const pods = await Promise.all(
      names.map((name) => {
        const options = lifecyclePods.find((one) => one.name === name);
        if (options === undefined) throw new Error(`no pod ${name}`);
        return createPod(world, options);
      }),
    );
    await explained(world, work);
    await Promise.all(
      pods.map(async ({ metadata }) => {
        if ((await getPod(world, metadata.name)) === undefined) return;
        await deletePod(world, metadata.name, 1);
        await podGone(world, metadata.name, metadata.uid);
      }),
    );
  };

  it('native sidecars start in order and gate what follows, and end last, in reverse', () =>
    shown(['sidecars'], async () => {
      const pod = await podEnded(world, 'sidecars', 60_000);
      expect(pod.status?.phase).toBe('Succeeded');
      const times = await entries(world, 'sidecars', '-c', 'first');
      const order = [...times].sort(([, a], [, b]) => a - b).map(([what]) => what);
      expect(order).toEqual(['first', 'ready', 'once', 'second', 'main', 'main-end', 'second-end', 'first-end']);
      // The startup probe looks every second.
      expect(gap(times, 'ready', 'once')).toBeLessThan(2);
      expect(gap(times, 'main-end', 'second-end')).toBeLessThan(1);
      expect(statusOf(pod, 'first')).toMatchObject({ state: { terminated: { exitCode: 7 } }, ready: false });
      expect(conditionOf(pod, 'Initialized')).toMatchObject({ status: 'True' });
    }));

  it('a failed liveness probe kills with the grace of the probe, and the container starts again', () =>
    shown(['liveness'], async () => {
      await podWhere(world, 'liveness', 'to run again', (pod) => restartsOf(pod) === 1, 40_000);
      const before = await entries(world, 'liveness', '--previous');
      const after = await entries(world, 'liveness');
      const took = (after.get('start') ?? 0) - (before.get('sick') ?? 0);
      // One or two seconds until the second failure, two seconds of grace for what ignores SIGTERM.
      expect(took).toBeGreaterThan(2.8);
      expect(took).toBeLessThan(5.5);
      expect(gap(before, 'sick', 'term')).toBeGreaterThan(0.9);
      expect(gap(before, 'sick', 'term')).toBeLessThan(3);
      const pod = await podWhere(world, 'liveness', 'to show the end before', (one) =>
        Boolean(statusOf(one)?.lastState?.terminated),
      );
      expect(statusOf(pod)?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
    }));

  it('a readiness probe turns Ready on and off and restarts nothing', () =>
    shown(['readiness'], async () => {
      const ready = (value: string) => (pod: Pod) => conditionOf(pod, 'Ready')?.status === value;
      const on = await podWhere(world, 'readiness', 'to be ready', ready('True'), 40_000);
      expect(statusOf(on)).toMatchObject({ ready: true, started: true });
      const off = await podWhere(world, 'readiness', 'to be unready', ready('False'));
      expect(conditionOf(off, 'ContainersReady')).toMatchObject({
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [main]',
      });
      expect(statusOf(off)).toMatchObject({ ready: false, started: true, restartCount: 0, state: { running: {} } });
      expect(off.status?.phase).toBe('Running');
    }));

  it('a startup probe gates the others, and one that goes on failing restarts', () =>
    shown(['startup', 'never-starts'], async () => {
      const pod = await podWhere(world, 'startup', 'to have started', (one) => statusOf(one)?.started === true, 40_000);
      // Its liveness probe would have killed it at once.
      expect(statusOf(pod)).toMatchObject({ restartCount: 0, ready: true });
      const again = await podWhere(world, 'never-starts', 'to run again', (one) => restartsOf(one) > 0, 40_000);
      expect(statusOf(again)?.started).toBe(false);
    }));

  it('HTTP, TCP and exec probes, by number and by name', () =>
    shown(['probes'], async () => {
      const names = ['web', 'named', 'tcp', 'exec'];
      const pod = await podWhere(
        world,
        'probes',
        'to have its ready containers',
        (one) => names.every((name) => statusOf(one, name)?.ready),
        40_000,
      );
      await sleep(2_000);
      expect(statusOf(pod, 'missing')?.ready).toBe(false);
      expect(statusOf(pod, 'nobody')?.ready).toBe(false);
      expect(conditionOf(pod, 'Ready')?.message).toBe('containers with unready status: [missing nobody]');
    }));

  it('a postStart hook comes before the next container, and one that fails kills', () =>
    shown(['post-start', 'post-start-fails'], async () => {
      const pod = await podWhere(world, 'post-start', 'to run', (one) => one.status?.phase === 'Running', 40_000);
      expect(statusOf(pod)).toMatchObject({ started: true });
      const times = new Map([
        ...(await entries(world, 'post-start', '-c', 'main')),
        ...(await entries(world, 'post-start', '-c', 'next')),
      ]);
      expect(gap(times, 'hook', 'next')).toBeGreaterThan(1.9);
      expect(gap(times, 'hook', 'next')).toBeLessThan(3.5);
      const failed = await podEnded(world, 'post-start-fails');
      expect(failed.status?.phase).toBe('Failed');
      expect(statusOf(failed)?.state?.terminated).toMatchObject({ exitCode: 9, reason: 'Error' });
    }));

  it('a preStop hook runs before SIGTERM, and counts as grace', () =>
    shown(['pre-stop'], async () => {
      const pod = await podRunning(world, 'pre-stop');
      const following = logs(world, 'pre-stop', '-f');
      await sleep(1_000);
      await deletePod(world, 'pre-stop', 4);
      const times = await entriesOf(following);
      expect(gap(times, 'pre-stop', 'term')).toBeGreaterThan(1.9);
      expect(gap(times, 'pre-stop', 'term')).toBeLessThan(3);
      // Four seconds of grace, two of which the hook took.
      expect(gap(times, 'term', 'still')).toBeGreaterThan(0.8);
      expect(gap(times, 'term', 'still')).toBeLessThan(3);
      await podGone(world, 'pre-stop', pod.metadata.uid);
    }));

  it('activeDeadlineSeconds: Failed within a second, with the reason', () =>
    shown(['late', 'early'], async () => {
      const pod = await podEnded(world, 'late', 40_000);
      expect(pod.status).toMatchObject({
        phase: 'Failed',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      });
      const end = Date.parse(statusOf(pod)?.state?.terminated?.finishedAt ?? '');
      const took = end - Date.parse(pod.status?.startTime ?? '');
      expect(took).toBeGreaterThanOrEqual(4_000);
      expect(took).toBeLessThanOrEqual(6_000);
      expect(statusOf(pod)?.state?.terminated?.exitCode).toBe(5);
      const early = await podEnded(world, 'early');
      expect(early.status).toMatchObject({ phase: 'Succeeded' });
      expect(early.status?.reason).toBeUndefined();
    }));

  it('termination messages: a file of an unprivileged user, a path of its own, the end of the log', () =>
    shown(['says', 'elsewhere', 'from-log', 'silent'], async () => {
      const ended = await Promise.all(['says', 'elsewhere', 'from-log', 'silent'].map((name) => podEnded(world, name)));
      expect(ended.map((pod) => statusOf(pod)?.state?.terminated?.message)).toEqual([
        'bye',
        'over here',
        'line 1\nline 2\n',
        undefined,
      ]);
    }));

  it('OOMKilled also when only a child was killed, and only for its container', () =>
    shown(['hungry-child'], async () => {
      const pod = await podEnded(world, 'hungry-child');
      expect(statusOf(pod)?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'OOMKilled' });
      expect(statusOf(pod, 'other')?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
    }));

  it('a restart of the sidecar during a back-off and while a probe fails: the counts go on', () =>
    shown(['loop', 'sick', 'hooked'], async () => {
      const waiting = (pod: Pod) => statusOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff';
      const before = await podWhere(
        world,
        'loop',
        'to back off for longer than a restart takes',
        (pod) => waiting(pod) && restartsOf(pod) === 2,
        40_000,
      );
      await podWhere(world, 'sick', 'to be restarted', (pod) => restartsOf(pod) >= 1, 40_000);
      await podWhere(world, 'hooked', 'to run', (pod) => pod.status?.phase === 'Running');
      await world.chain.sidecar.kill();
      await world.chain.sidecar.start();
      const count = restartsOf(before);
      const after = await podWhere(
        world,
        'loop',
        'to back off again',
        (pod) => waiting(pod) && restartsOf(pod) > count,
        60_000,
      );
      expect(restartsOf(after)).toBe(count + 1);
      expect(statusOf(after)?.state?.waiting?.message).toContain(`back-off ${10 * 2 ** count}s`);
      const last = (pod: Pod) => statusOf(pod)?.lastState?.terminated;
      const paused = Date.parse(last(after)?.startedAt ?? '') - Date.parse(last(before)?.finishedAt ?? '');
      expect(Math.abs(paused - 10_000 * 2 ** (count - 1))).toBeLessThanOrEqual(2_000);
      const sick = await podWhere(world, 'sick', 'to be restarted again', (pod) => restartsOf(pod) >= 2, 60_000);
      expect(statusOf(sick)?.lastState?.terminated).toMatchObject({ reason: 'Error' });
      // A hook that was done is not run again.
      expect((await logs(world, 'hooked')).split('\n').filter((line) => line.startsWith('hook'))).toHaveLength(1);
    }));

  it('kubectl debug: a container beside the others, which sees the processes of its target', () =>
    shown(['debugged'], async () => {
      await podRunning(world, 'debugged');
      const debug = ['debug', 'debugged', `--image=${image}`, '--target=main', '-c', 'aside', '--', 'ps'];
      expect(await world.cluster.kubectl(debug)).toMatchObject({ code: 0 });
      const aside = ({ status }: Pod) => status?.ephemeralContainerStatuses?.find(({ name }) => name === 'aside');
      const pod = await podWhere(world, 'debugged', 'to have been debugged', (one) =>
        Boolean(aside(one)?.state?.terminated),
      );
      expect(aside(pod)?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
      expect(await logs(world, 'debugged', '-c', 'aside')).toContain('sleep 601');
      expect(pod.status?.phase).toBe('Running');
    }));

  async function entriesOf(text: Promise<string>): Promise<Map<string, number>> {
    const lines = (await text).trim().split('\n');
    return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
  }
});
