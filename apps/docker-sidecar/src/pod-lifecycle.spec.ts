import type { ContainerStatus, PodStatus } from '@interlink/contract';
import { DockerSite } from './testing/docker-site.ts';
import { makeJob } from './testing/jobs.ts';

let site = new DockerSite();
beforeEach(() => (site = new DockerSite()));
afterEach(() => site.end());
const never = new AbortController().signal;

const image = 'busybox:1';
const exec = (...command: string[]) => ({ exec: { command } });
const latest = (): PodStatus | undefined => site.statuses.at(-1);
const main = (): ContainerStatus | undefined => latest()?.containers?.[0];
const stops = () => site.engine.calls.filter((call) => call.startsWith('stop'));
/** Every command fails for which this holds. */
const fails = (which: (command: string) => boolean) => {
  site.engine.reach.answer = (_, argv) => Promise.resolve({ exitCode: which(argv.join(' ')) ? 1 : 0, stdout: 'why' });
};

describe('a postStart hook', () => {
  const hooked = { name: 'main', image, lifecycle: { postStart: exec('hook') } };
  const spec = { restartPolicy: 'Never', containers: [hooked, { name: 'next', image }] };

  it('comes before the container counts as running, and before the next one', async () => {
    const { backend } = await site.start();
    let done: (() => void) | undefined;
    site.engine.reach.answer = () => new Promise((resolve) => (done = () => resolve({ exitCode: 0 })));
    await site.submit(backend, makeJob(spec));
    expect(site.engine.names()).toEqual(['', 'main-0']);
    expect(main()?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    done?.();
    await site.pass(0);
    expect(site.engine.names()).toEqual(['', 'main-0', 'next-0']);
    expect(latest()).toMatchObject({ phase: 'Running', containers: [{ started: true }, {}] });
    expect(site.engine.reach.runs).toEqual(['main-0: hook']);
  });

  it('that fails kills the container, which waits with what the hook said', async () => {
    const { backend } = await site.start();
    fails(() => true);
    await site.submit(backend, makeJob({ containers: [hooked], terminationGracePeriodSeconds: 7 }));
    expect(stops()[0]).toBe('stop main-0 7');
    const waiting = site.statuses.map(({ containers }) => containers?.[0]?.state?.waiting);
    expect(waiting).toContainEqual({
      reason: 'PostStartHookError',
      message: `Exec lifecycle hook ([hook]) for Container "main" in Pod "pod_ns(u)" failed - error: command 'hook' exited with 1: , message: "why"`,
    });
    expect(main()).toMatchObject({ restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } });
  });

  it('that was done is not run again by the next life of the sidecar', async () => {
    const { backend } = await site.start();
    await site.submit(backend, makeJob(spec));
    site.stop();
    site.wanted.clear();
    const known = { ...makeJob(spec), lastStatus: latest() };
    site.wanted.add(known);
    await site.start();
    expect(site.engine.reach.runs).toEqual(['main-0: hook']);
    expect(latest()?.phase).toBe('Running');
  });
});

describe('a liveness probe', () => {
  const livenessProbe = { ...exec('alive'), periodSeconds: 2, failureThreshold: 2, terminationGracePeriodSeconds: 3 };
  const spec = { containers: [{ name: 'main', image, livenessProbe }], terminationGracePeriodSeconds: 60 };

  it('that fails stops the container with the grace of the probe, and it starts again', async () => {
    const { backend } = await site.start();
    await site.submit(backend, makeJob(spec));
    await site.pass(10);
    expect(stops()).toEqual([]);
    fails((command) => command === 'alive');
    await site.pass(2);
    expect(stops()).toEqual([]);
    await site.pass(2);
    expect(stops()).toEqual(['stop main-0 3']);
    expect(main()).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 143 } } });
    expect(site.engine.names()).toEqual(['', 'main-0', 'main-1']);
  });

  it('is not asked any more once the pod is being deleted', async () => {
    const { backend } = await site.start();
    const job = makeJob(spec);
    await site.submit(backend, job);
    await backend.cancel(job, Date.now() + 1000, never);
    const asked = site.engine.reach.runs.length;
    await site.pass(60);
    expect(site.engine.reach.runs).toHaveLength(asked);
  });
});

describe('a readiness probe', () => {
  const readinessProbe = { ...exec('ready'), periodSeconds: 1, failureThreshold: 1 };
  const spec = { containers: [{ name: 'main', image, readinessProbe }] };

  it('decides about ready, and nothing else', async () => {
    const { backend } = await site.start();
    fails(() => true);
    await site.submit(backend, makeJob(spec));
    expect(main()).toMatchObject({ ready: false, started: true });
    fails(() => false);
    await site.pass(1);
    expect(main()).toMatchObject({ ready: true });
    fails(() => true);
    await site.pass(1);
    expect(main()).toMatchObject({ ready: false, restartCount: 0, state: { running: {} } });
    expect(stops()).toEqual([]);
  });

  it('stays true over a restart of the sidecar until it says otherwise', async () => {
    const { backend } = await site.start();
    await site.submit(backend, makeJob(spec));
    await site.pass(1);
    site.stop();
    site.wanted.clear();
    site.wanted.add({ ...makeJob(spec), lastStatus: latest() });
    fails(() => true);
    const before = site.statuses.length;
    await site.start();
    expect(site.statuses.slice(before).map(({ containers }) => containers?.[0]?.ready)).toEqual([
      ...[true, true, false],
    ]);
  });
});

describe('the end of a pod', () => {
  it('by its deadline: Failed once all has been stopped with grace', async () => {
    const { backend } = await site.start();
    const spec = { activeDeadlineSeconds: 30, terminationGracePeriodSeconds: 9 };
    const job = makeJob({ ...spec, containers: [{ name: 'main', image, lifecycle: { preStop: exec('bye') } }] });
    await site.submit(backend, job);
    await site.pass(29);
    expect(latest()?.phase).toBe('Running');
    await site.pass(1);
    expect(site.engine.reach.runs).toEqual(['main-0: bye']);
    expect(stops()).toEqual(['stop main-0 9', 'stop  1']);
    expect(latest()).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      containers: [{ state: { terminated: { exitCode: 143 } } }],
    });
    await site.pass(600);
    expect(site.engine.names()).toEqual(['', 'main-0']);
  });

  it('of its main containers ends its native sidecars, and then it has succeeded', async () => {
    const { backend } = await site.start();
    const initContainers = ['s1', 's2'].map((name) => ({ name, image, restartPolicy: 'Always' }));
    await site.submit(backend, makeJob({ restartPolicy: 'Never', initContainers }));
    expect(site.engine.names()).toEqual(['', 's1-0', 's2-0', 'main-0']);
    expect(latest()).toMatchObject({ phase: 'Running', initContainers: [{ ready: true }, { ready: true }] });
    site.engine.exit('main-0', 0);
    await site.pass(0);
    expect(stops()).toEqual(['stop s2-0 30', 'stop s1-0 30', 'stop  1']);
    expect(latest()?.phase).toBe('Succeeded');
  });

  it.each([
    ['the file', 'File', 'bye', 'bye'],
    ['no log, where there is a file', 'FallbackToLogsOnError', 'bye', 'bye'],
    ['the log, where there is none', 'FallbackToLogsOnError', undefined, 'log of main-0'],
    ['nothing', 'File', undefined, undefined],
  ])('comes with %s, in the first status that tells of it', async (_, terminationMessagePolicy, file, expected) => {
    const { backend } = await site.start();
    const containers = [{ name: 'main', image, terminationMessagePolicy }];
    await site.submit(backend, makeJob({ restartPolicy: 'Never', containers }));
    if (file !== undefined) site.engine.reach.files.set('/volumes/..messages/main-0', file);
    site.engine.exit('main-0', 1);
    await site.pass(0);
    const ends = site.statuses.flatMap(({ containers: all }) => all?.[0]?.state?.terminated ?? []);
    expect(ends.map(({ message }) => message)).toEqual(ends.map(() => expected));
    expect(ends.length).toBeGreaterThan(0);
  });
});

it('a container has a file for its last words, writable by anybody, and its stop signal', async () => {
  const { backend } = await site.start();
  const containers = [
    { name: 'main', image, terminationMessagePath: '/tmp/bye', lifecycle: { stopSignal: 'SIGUSR1' } },
  ];
  await site.submit(backend, makeJob({ containers }));
  const made = [...site.engine.containers.values()].find(({ name }) => name.endsWith('main-0'))?.body;
  expect(made).toMatchObject({
    StopSignal: 'SIGUSR1',
    Labels: { 'interlink.eu/image': image },
    HostConfig: { Mounts: [{ Type: 'bind', Source: '/engine/messages/main-0', Target: '/tmp/bye' }] },
  });
});

it('another image in an update restarts the container, even where nothing restarts', async () => {
  const { backend } = await site.start();
  site.engine.images.add('busybox:2');
  const job = makeJob({ restartPolicy: 'Never' });
  await site.submit(backend, job);
  const next = makeJob({ restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:2' }] });
  await backend.update(next, never);
  await site.pass(0);
  expect(site.engine.names()).toEqual(['', 'main-0', 'main-1']);
  expect(new Set(site.statuses.map(({ phase }) => phase))).toEqual(new Set(['Pending', 'Running']));
  expect(main()).toMatchObject({ image: 'busybox:2', restartCount: 1 });
});
