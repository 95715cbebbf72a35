import { readFile } from 'node:fs/promises';
import {
  containersOf,
  deletePod,
  eventsOf,
  exitCode,
  getPod,
  logs,
  noContainers,
  podEnded,
  podGone,
  startWorld,
  type World,
} from './support/world.ts';

describe('an ordinary pod', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('hello');
  });
  afterAll(() => world.stop());

  it('runs on the virtual node where the scheduler puts it, with log, events and annotations', async () => {
    const before = await world.chain.vkNode.requestsMade();
    const manifest = await readFile(new URL('../deploy/examples/hello-world.yaml', import.meta.url), 'utf8');
    const applied = await world.cluster.kubectl(['apply', '-f', '-'], { input: manifest });
    expect(applied).toMatchObject({ code: 0 });
    const pod = await podEnded(world, 'hello-world');
    const { uid } = pod.metadata;

    expect(pod.status?.phase).toBe('Succeeded');
    expect(exitCode(pod, 'hello')).toBe(0);
    expect(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason).toBe('Completed');
    expect(pod.spec.nodeName).toBe(world.chain.nodeName);
    expect(await logs(world, 'hello-world')).toBe('Hello from Interlink\n');
    expect(pod.metadata.annotations).toMatchObject({
      'interlink.eu/site': world.chain.site,
      JobID: expect.stringContaining('interlink-'),
    });
    expect((await eventsOf(world, uid)).map(({ reason }) => reason)).toEqual(['Submitted']);
    // The admission plugin's five minutes are gone, the tolerations are not.
    expect(pod.spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
      ['node.kubernetes.io/not-ready', undefined],
      ['node.kubernetes.io/unreachable', undefined],
    ]);

    await deletePod(world, 'hello-world');
    await podGone(world, 'hello-world', uid);
    await noContainers(world, uid);
    const after = await world.chain.vkNode.requestsMade();
    const made = (request: string) =>
      (after.get(`kube-apiserver ${request}`) ?? 0) - (before.get(`kube-apiserver ${request}`) ?? 0);
    expect(made('PATCH pods') + made('PATCH pods/status')).toBeLessThanOrEqual(3);
    expect(made('DELETE pods')).toBe(1);
    expect(made('POST events')).toBe(1);
  });

  it('is stopped within its grace period and leaves nothing', async () => {
    const { cluster } = world;
    const script = 'trap "echo bye; exit 4" TERM; echo up; while :; do sleep 0.1; done';
    await cluster.kubectl([
      'run',
      'graceful',
      '--image=busybox:1.35',
      '--restart=Never',
      '--command',
      '--',
      'sh',
      '-c',
      script,
    ]);
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/graceful', '--timeout=20s']);
    const pod = await getPod(world, 'graceful');
    const uid = pod?.metadata.uid ?? '';
    expect(await containersOf(world, uid)).toHaveLength(2);
    const started = Date.now();
    await deletePod(world, 'graceful', 20);
    await podGone(world, 'graceful', uid);
    // Not the whole grace period: the pod goes when it has ended.
    expect(Date.now() - started).toBeLessThan(10_000);
    await noContainers(world, uid);
  });
});
