import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '@interlink/contract';
import { waitFor } from '@interlink/testbed';
import { z } from 'zod';
import {
  createPod,
  deletePod,
  eventsOf,
  getPod,
  logs,
  noContainers,
  podEnded,
  podGone,
  podRunning,
  podWhere,
  startWorld,
  type World,
} from './support/world.ts';

const nodeSchema = z.looseObject({
  spec: z.looseObject({ taints: z.array(z.looseObject({ key: z.string(), effect: z.string() })).default([]) }),
  status: z.looseObject({
    conditions: z.array(
      z.looseObject({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() }),
    ),
  }),
});

const taintKey = 'interlink.eu/site-unavailable';

const waitingReason = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason;

describe('while a part is away, nodes and pods say which', () => {
  let world: World;
  const node = async () => world.kube.get({ path: `/api/v1/nodes/${world.chain.nodeName}`, schema: nodeSchema });
  const connectivity = async () =>
    (await node()).status.conditions.find(({ type }) => type === 'InterlinkConnectivity');
  const connectivityIs = (reason: string) =>
    waitFor(`the node to say ${reason}`, async () => (await connectivity())?.reason === reason, { timeoutMs: 30_000 });
  /** Bound by hand: the scheduler would keep it away, which is what the taint is for. */
  const bound = (name: string, script: string, container: Record<string, unknown> = {}) =>
    createPod(world, { name, script, container, spec: { nodeName: world.chain.nodeName } });

  beforeAll(async () => {
    world = await startWorld('outage');
  });
  afterAll(() => world.stop());

  it.each([
    { away: 'api', reason: 'ApiUnavailable' },
    { away: 'sidecar', reason: 'SiteUnavailable' },
  ] as const)('the $away: $reason, until it is back', async ({ away, reason }) => {
    const running = await createPod(world, { name: `runs-${away}`, script: 'sleep 600' });
    const deleted = await createPod(world, { name: `deleted-${away}`, script: 'sleep 600' });
    const before = await podRunning(world, running.metadata.name);
    await podRunning(world, deleted.metadata.name);

    await world.chain[away].stop();
    await connectivityIs(reason);
    const { spec, status } = await node();
    expect(status.conditions.find(({ type }) => type === 'InterlinkConnectivity')?.status).toBe('False');
    expect(status.conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(spec.taints).toContainEqual(expect.objectContaining({ key: taintKey, effect: 'NoSchedule' }));

    const waiting = await bound(`bound-${away}`, 'echo ran');
    const unbound = await createPod(world, { name: `unbound-${away}`, script: 'echo ran' });
    const shown = await podWhere(
      world,
      waiting.metadata.name,
      `to wait for ${reason}`,
      (pod) => waitingReason(pod) === reason,
    );
    expect(shown.status?.phase).toBe('Pending');
    const events = () => eventsOf(world, waiting.metadata.uid);
    await waitFor('the event', async () => (await events()).length > 0, { timeoutMs: 5_000 });
    expect(await events()).toEqual([
      expect.objectContaining({ type: 'Warning', reason: 'Waiting', message: expect.stringContaining(reason) }),
    ]);
    await deletePod(world, deleted.metadata.name);
    const refused = await world.cluster.kubectl(['logs', running.metadata.name]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/does not answer/);

    // Site trouble evicts nobody, and is not told again and again.
    await sleep(5_000);
    expect((await getPod(world, unbound.metadata.name))?.spec.nodeName ?? '').toBe('');
    const after = await getPod(world, running.metadata.name);
    expect(after?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect((await getPod(world, deleted.metadata.name))?.metadata.uid).toBe(deleted.metadata.uid);
    expect(await events()).toHaveLength(1);

    await world.chain[away].start();
    await connectivityIs('SiteAvailable');
    for (const { metadata } of [waiting, unbound]) {
      const ended = await podEnded(world, metadata.name);
      expect(ended.status?.phase).toBe('Succeeded');
      expect(await logs(world, metadata.name)).toBe('ran\n');
    }
    await waitFor('the taint to go', async () => !(await node()).spec.taints.some(({ key }) => key === taintKey), {
      timeoutMs: 10_000,
    });
    await podGone(world, deleted.metadata.name, deleted.metadata.uid);
    await noContainers(world, deleted.metadata.uid);
    expect(await podRunning(world, running.metadata.name)).toMatchObject({ metadata: { uid: running.metadata.uid } });
  });

  it('an API that comes up while the sidecar is away: the site is what is missing, not the API', async () => {
    const { api, sidecar } = world.chain;
    await api.stop();
    await sidecar.stop();
    await connectivityIs('ApiUnavailable');
    await api.start();
    await connectivityIs('SiteUnavailable');
    const pod = await bound('both-away', 'exit 3');
    await podWhere(world, 'both-away', 'to wait', (one) => waitingReason(one) === 'SiteUnavailable');
    await sidecar.start();
    const ended = await podEnded(world, 'both-away');
    expect(ended.metadata.uid).toBe(pod.metadata.uid);
    expect(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
  });

  it('vk-node that starts while the sidecar is away', async () => {
    const { vkNode, sidecar } = world.chain;
    await vkNode.stop();
    await sidecar.stop();
    await vkNode.start();
    await connectivityIs('SiteUnavailable');
    // Only of a site that is known to be one of ours: a classic one would get the values, and has no address to give.
    const env = [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'URL', value: 'http://$(POD_IP)' },
    ];
    await bound('from-the-start', 'echo $URL', { env });
    await podWhere(world, 'from-the-start', 'to wait', (one) => waitingReason(one) === 'SiteUnavailable');
    await sidecar.start();
    await podEnded(world, 'from-the-start');
    expect(await logs(world, 'from-the-start')).toMatch(/^http:\/\/\d+\./);
    await connectivityIs('SiteAvailable');
  });
});
