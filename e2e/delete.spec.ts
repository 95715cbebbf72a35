import { setTimeout as sleep } from 'node:timers/promises';
import { ContractClient, isCode } from '@interlink/contract';
import { waitFor } from '@interlink/testbed';
import {
  containersOf,
  createPod,
  deletePod,
  exitCode,
  getPod,
  image,
  noContainers,
  podEnded,
  podGone,
  podRunning,
  startWorld,
  type World,
} from './support/world.ts';

const forever = 'while :; do sleep 0.1; done';

describe('deleting', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('delete');
  });
  afterAll(() => world.stop());

  it.each(['api', 'sidecar'] as const)('while the %s is down leaves no orphan', async (part) => {
    const service = world.chain[part];
    const name = `deleted-without-${part}`;
    const pod = await createPod(world, { name, script: forever });
    await podRunning(world, name);
    await service.stop();
    await deletePod(world, name);
    // It must not go while its job may still run.
    await sleep(3_000);
    expect((await getPod(world, name))?.metadata.deletionTimestamp).toBeTruthy();
    expect((await containersOf(world, pod.metadata.uid)).length).toBeGreaterThan(0);
    await service.start();
    await podGone(world, name, pod.metadata.uid);
    await noContainers(world, pod.metadata.uid);
  });

  it('by force while vk-node is down: the container goes after its return', async () => {
    const pod = await createPod(world, { name: 'forced', script: forever });
    await podRunning(world, 'forced');
    await world.chain.vkNode.kill();
    await deletePod(world, 'forced', 0);
    await podGone(world, 'forced', pod.metadata.uid);
    expect((await containersOf(world, pod.metadata.uid)).length).toBeGreaterThan(0);
    await world.chain.vkNode.start();
    await noContainers(world, pod.metadata.uid, 60_000);
  });

  it('while the container is being made leaves nothing', async () => {
    const pods = await Promise.all(
      Array.from({ length: 10 }, (_, index) => createPod(world, { name: `early-${index}`, script: forever })),
    );
    await Promise.all(
      pods.map(({ metadata }) => sleep(Math.random() * 1_000).then(() => deletePod(world, metadata.name))),
    );
    await Promise.all(pods.map(({ metadata }) => podGone(world, metadata.name, metadata.uid)));
    await noContainers(world);
  });

  it('and creating again under the same name at once gives the new pod its own run', async () => {
    const first = await createPod(world, { name: 'again', script: forever });
    await podRunning(world, 'again');
    const { code } = await world.cluster.kubectl(['delete', 'pod', 'again', '--wait=true']);
    expect(code).toBe(0);
    const second = await createPod(world, { name: 'again', script: 'exit 5' });
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect(exitCode(await podEnded(world, 'again'))).toBe(5);
    await noContainers(world, first.metadata.uid);
    // By force there is no wait at all: the old container may still be there when the new one starts.
    await deletePod(world, 'again', 0);
    await createPod(world, { name: 'again', script: 'exit 6' });
    await waitFor('the third pod to end', async () => exitCode(await podEnded(world, 'again')) === 6, {
      timeoutMs: 20_000,
    });
    await noContainers(world, second.metadata.uid);
    await deletePod(world, 'again');
  });

  it('before the create has arrived: the create is refused', async () => {
    const client = new ContractClient({ leg: 'api', peer: 'api', endpoint: world.chain.api.endpoint });
    const call = { owner: 'test/late' };
    const metadata = { name: 'late', namespace: 'default', uid: 'late-uid' };
    await client.delete({ metadata }, call);
    const create = client.create({ pod: { metadata, spec: { containers: [{ name: 'main', image }] } } }, call);
    const outcome = await create.then(
      () => 'created',
      (error: unknown) => isCode(error, 'Gone'),
    );
    expect(outcome).toBe(true);
    await sleep(500);
    expect(await containersOf(world, 'late-uid')).toEqual([]);
  });
});
