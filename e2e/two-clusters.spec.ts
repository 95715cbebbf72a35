import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient } from '@interlink/kube';
import { startControlPlane, startVkNode, type ControlPlane, type Service } from '@interlink/testbed';
import {
  containersOf,
  createPod,
  deletePod,
  exitCode,
  logs,
  noContainers,
  podEnded,
  podGone,
  podRunning,
  startWorld,
  type World,
} from './support/world.ts';

/** Two clusters whose nodes and pods have the same names share one API and one sidecar. */
describe('two clusters on one site', () => {
  let world: World;
  let dir: string;
  let cluster: ControlPlane;
  let vkNode: Service;
  let other: Pick<World, 'kube' | 'cluster'>;

  beforeAll(async () => {
    world = await startWorld('two');
    dir = await mkdtemp(join(tmpdir(), 'interlink-two-'));
    cluster = await startControlPlane({ dir: join(dir, 'cluster'), name: 'two-b' });
    other = { cluster, kube: KubeClient.load({ kubeconfig: cluster.kubeconfig }) };
    vkNode = await startVkNode({ cluster, nodeName: world.chain.nodeName, api: world.chain.api, dir });
  });
  afterAll(async () => {
    await vkNode.stop();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
    await world.stop();
  });

  it('keeps pods of equal name apart', async () => {
    const [here, there] = await Promise.all([
      createPod(world, { name: 'same', script: 'echo here; exit 3' }),
      createPod(other, { name: 'same', script: 'echo there; exit 4' }),
    ]);
    const [endedHere, endedThere] = await Promise.all([podEnded(world, 'same'), podEnded(other, 'same')]);
    expect([exitCode(endedHere), exitCode(endedThere)]).toEqual([3, 4]);
    expect(await logs(world, 'same')).toBe('here\n');
    expect(await logs(other, 'same')).toBe('there\n');

    await deletePod(world, 'same');
    await podGone(world, 'same', here.metadata.uid);
    await noContainers(world, here.metadata.uid);
    expect((await containersOf(world, there.metadata.uid)).length).toBeGreaterThan(0);
    expect(await logs(other, 'same')).toBe('there\n');
    await deletePod(other, 'same');
    await podGone(other, 'same', there.metadata.uid);
    await noContainers(world, there.metadata.uid);
  });

  it("does not take the other's jobs for orphans", async () => {
    const there = await createPod(other, { name: 'stays', script: 'sleep 60' });
    await podRunning(other, 'stays');
    // A vk-node that begins looks for jobs without a pod.
    await world.chain.vkNode.kill();
    await world.chain.vkNode.start();
    await createPod(world, { name: 'probe', script: 'sleep 4' });
    await podEnded(world, 'probe');
    expect((await containersOf(world, there.metadata.uid)).filter(({ state }) => state === 'running')).toHaveLength(2);
    await deletePod(other, 'stays');
    await podGone(other, 'stays', there.metadata.uid);
  });
});
