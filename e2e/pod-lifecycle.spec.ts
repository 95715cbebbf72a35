import type { ContainerStatus, Pod } from '@interlink/contract';
import { PodPhases } from './support/pod-phases.ts';
import {
  createPod,
  exitCode,
  image,
  logs,
  podEnded,
  podRunning,
  podWhere,
  startWorld,
  type PodOptions,
  type World,
} from './support/world.ts';

const scratch = { volumes: [{ name: 'scratch', emptyDir: {} }] };
const mounted = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
const init = (name: string, script: string) => ({ name, image, command: ['sh', '-c', script], ...mounted });
/** Fails the first time only. */
const failsOnce =
  'if [ -e /scratch/been-here ]; then echo second; exit 0; fi; touch /scratch/been-here; echo first; exit 3';

const pods: PodOptions[] = [
  { name: 'succeeds', script: 'sleep 2' },
  { name: 'fails', script: 'exit 7' },
  { name: 'one-of-two-fails', script: 'exit 1', spec: twoMains('exit 1', 'sleep 1; exit 0') },
  {
    name: 'out-of-memory',
    // The kernel's notice gets lost where the container is gone before the engine has read it: hence the sleep.
    script: 'tail /dev/zero; code=$?; sleep 1; exit $code',
    container: { resources: { limits: { memory: '32Mi' } } },
  },
  { name: 'no-such-command', script: '', container: { command: ['/no/such/command'] } },
  {
    name: 'inits',
    script: 'cat /scratch/order',
    container: mounted,
    spec: {
      ...scratch,
      initContainers: [
        init('first', 'sleep 1; echo first >> /scratch/order'),
        init('second', 'echo second >> /scratch/order'),
      ],
    },
  },
  {
    name: 'init-fails',
    script: 'echo must not run',
    container: mounted,
    spec: { ...scratch, initContainers: [init('fails', 'exit 5'), init('next', 'echo must not run')] },
  },
  {
    name: 'init-tried-again',
    script: 'echo main',
    container: mounted,
    spec: { ...scratch, restartPolicy: 'OnFailure', initContainers: [init('once', failsOnce)] },
  },
  { name: 'tried-again', script: failsOnce, container: mounted, spec: { ...scratch, restartPolicy: 'OnFailure' } },
  { name: 'crash-loop', script: 'echo up; exit 4', spec: { restartPolicy: 'Always' } },
  { name: 'runs', script: 'sleep 600' },
];

function twoMains(one: string, other: string): Record<string, unknown> {
  const main = (name: string, script: string) => ({ name, image, command: ['sh', '-c', script] });
  return { containers: [main('main', one), main('other', other)] };
}

const statusOf = (pod: Pod, name = 'main'): ContainerStatus | undefined =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );

const conditions = ({ status }: Pod) =>
  Object.fromEntries(status?.conditions?.map(({ type, status: value, reason }) => [type, reason ?? value]) ?? []);

const time = (text: string | null | undefined) => Date.parse(text ?? '');

describe('the life of a pod', () => {
  let world: World;
  let phases: PodPhases;
  beforeAll(async () => {
    world = await startWorld('lifecycle');
    phases = new PodPhases(world);
    await Promise.all(pods.map((pod) => createPod(world, pod)));
  });
  afterAll(async () => {
    await phases.stop();
    await world.stop();
  });

  it('exit code 0: Succeeded and Completed, with times that make sense', async () => {
    const pod = await podEnded(world, 'succeeds');
    const terminated = statusOf(pod)?.state?.terminated;
    expect(pod.status?.phase).toBe('Succeeded');
    expect(terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
    const ran = time(terminated?.finishedAt) - time(terminated?.startedAt);
    // Kubernetes has whole seconds.
    expect(ran).toBeGreaterThanOrEqual(1_000);
    expect(ran).toBeLessThan(6_000);
    expect(time(pod.metadata.creationTimestamp)).toBeLessThanOrEqual(time(terminated?.startedAt));
    expect(time(terminated?.finishedAt)).toBeLessThanOrEqual(Date.now());
    expect(conditions(pod)).toEqual({
      PodReadyToStartContainers: 'False',
      Initialized: 'PodCompleted',
      Ready: 'PodCompleted',
      ContainersReady: 'PodCompleted',
      PodScheduled: 'True',
    });
  });

  it('a running pod: conditions, ids and addresses', async () => {
    const pod = await podRunning(world, 'runs');
    expect(conditions(pod)).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
    expect(statusOf(pod)).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      image,
      imageID: expect.stringMatching(/sha256:[0-9a-f]{64}$/),
      containerID: expect.stringMatching(/^docker:\/\/[0-9a-f]{64}$/),
      state: { running: { startedAt: expect.any(String) } },
    });
    expect(pod.status).toMatchObject({ qosClass: 'BestEffort', podIP: expect.stringMatching(/^\d+(\.\d+){3}$/) });
    expect(pod.status?.['podIPs']).toEqual([{ ip: pod.status?.podIP }]);
    // The node's address here is loopback, which no Pod may show: nothing rather than that.
    expect(pod.status?.hostIP ?? '').not.toMatch(/^127\./);
    const age = Date.now() - time(pod.status?.startTime);
    expect(time(pod.status?.startTime)).toBeGreaterThanOrEqual(time(pod.metadata.creationTimestamp) - 1_000);
    expect(age).toBeLessThan(120_000);
    const shown = await world.cluster.kubectl(['describe', 'pod', 'runs']);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('docker://') });
  });

  it('another exit code: Failed and Error; one failed container of two fails the pod', async () => {
    const [fails, two] = await Promise.all([podEnded(world, 'fails'), podEnded(world, 'one-of-two-fails')]);
    expect(fails.status?.phase).toBe('Failed');
    expect(statusOf(fails)?.state?.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
    expect(conditions(fails)).toMatchObject({ Ready: 'PodFailed', ContainersReady: 'PodFailed', Initialized: 'True' });
    expect(two.status?.phase).toBe('Failed');
    expect([exitCode(two), exitCode(two, 'other')]).toEqual([1, 0]);
  });

  it('more memory than the limit: OOMKilled', async () => {
    const pod = await podEnded(world, 'out-of-memory');
    expect(pod.status?.phase).toBe('Failed');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    expect(pod.status).toMatchObject({ qosClass: 'Burstable' });
  });

  it('a command that does not exist: ContainerCannotRun, with what the engine says', async () => {
    const pod = await podEnded(world, 'no-such-command');
    expect(pod.status?.phase).toBe('Failed');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({
      exitCode: 127,
      reason: 'ContainerCannotRun',
      message: expect.stringContaining('/no/such/command'),
    });
  });

  it('init containers run one after the other, before the others', async () => {
    const pod = await podEnded(world, 'inits');
    expect(pod.status?.phase).toBe('Succeeded');
    expect(await logs(world, 'inits')).toBe('first\nsecond\n');
    const [first, second, main] = ['first', 'second', 'main'].map((name) => statusOf(pod, name)?.state?.terminated);
    expect([first, second, main].map((end) => end?.exitCode)).toEqual([0, 0, 0]);
    expect(time(second?.startedAt)).toBeGreaterThanOrEqual(time(first?.finishedAt));
    expect(time(main?.startedAt)).toBeGreaterThanOrEqual(time(second?.finishedAt));
    expect(statusOf(pod, 'first')?.ready).toBe(true);
  });

  it('an init container that fails ends the pod, and nothing after it starts', async () => {
    const pod = await podEnded(world, 'init-fails');
    expect(pod.status?.phase).toBe('Failed');
    expect(pod.status?.reason).toBeUndefined();
    expect(statusOf(pod, 'fails')?.state?.terminated).toMatchObject({ exitCode: 5, reason: 'Error' });
    for (const name of ['next', 'main']) {
      expect(statusOf(pod, name)).toMatchObject({ state: { waiting: { reason: 'PodInitializing' } }, restartCount: 0 });
      expect(statusOf(pod, name)?.containerID ?? '').toBe('');
    }
    expect(conditions(pod)).toMatchObject({ Initialized: 'ContainersNotInitialized', Ready: 'PodFailed' });
  });

  it('restartPolicy OnFailure: once more, with the same volumes, until it succeeds', async () => {
    const [main, withInit] = await Promise.all([podEnded(world, 'tried-again'), podEnded(world, 'init-tried-again')]);
    for (const [pod, name] of [
      [main, 'main'],
      [withInit, 'once'],
    ] as const) {
      expect(pod.status?.phase).toBe('Succeeded');
      expect(statusOf(pod, name)).toMatchObject({
        restartCount: 1,
        state: { terminated: { exitCode: 0 } },
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      });
    }
    expect(await logs(world, 'tried-again')).toBe('second\n');
    expect(exitCode(withInit)).toBe(0);
  });

  it('restartPolicy Always: a crash loop backs off, ever longer', async () => {
    const waits = (pod: Pod) => statusOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff';
    const pod = await podWhere(world, 'crash-loop', 'to back off', waits);
    expect(pod.status?.phase).toBe('Running');
    expect(statusOf(pod)).toMatchObject({
      ready: false,
      restartCount: 1,
      state: { waiting: { message: expect.stringContaining('back-off 10s restarting failed container=main') } },
      lastState: { terminated: { exitCode: 4 } },
    });
    expect(conditions(pod)).toMatchObject({ Ready: 'ContainersNotReady' });
    const again = await podWhere(
      world,
      'crash-loop',
      'to back off again',
      (one) => waits(one) && statusOf(one)?.restartCount === 2,
    );
    expect(statusOf(again)?.state?.waiting?.message).toContain('back-off 20s');
    const last = (one: Pod) => statusOf(one)?.lastState?.terminated;
    const paused = time(last(again)?.startedAt) - time(last(pod)?.finishedAt);
    expect(paused).toBeGreaterThanOrEqual(9_000);
    expect(paused).toBeLessThan(20_000);
  });

  it('the phase never goes back', () => {
    expect(phases.of('succeeds')).toEqual(['Pending', 'Running', 'Succeeded']);
    expect(phases.of('runs')).toEqual(['Pending', 'Running']);
    const order = ['Pending', 'Running', 'Succeeded', 'Failed'];
    for (const { name } of pods) {
      const seen = phases.of(name);
      expect(seen).toEqual(seen.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
      expect(seen.filter((phase) => phase === 'Succeeded' || phase === 'Failed').length).toBeLessThanOrEqual(1);
    }
  });
});
