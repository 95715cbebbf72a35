import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor, type Service } from '@interlink/testbed';
import { EngineStarts } from './support/engine-starts.ts';
import {
  createPod,
  deletePod,
  exitCode,
  noContainers,
  podEnded,
  podGone,
  podRunning,
  startWorld,
  type World,
} from './support/world.ts';

const count = 20;

/** A third of the pods end while the victim is down, the others before or after. */
const seconds = (index: number) => 1 + (index % 3) * 4;

describe('kill -9 while pods run', () => {
  let world: World;
  let starts: EngineStarts;
  beforeAll(async () => {
    world = await startWorld('crash');
    starts = await EngineStarts.watch(world.engine.docker, world.chain.site);
  });
  afterAll(async () => {
    starts.stop();
    await world.stop();
  });

  const victims = ['docker-sidecar', 'interlink-api', 'vk-node'];

  it.each(victims)('of %s loses no exit code and starts nothing twice', async (victim) => {
    const { chain } = world;
    const service = serviceOf(chain, victim);
    const before = starts.containers.size;
    const names = Array.from({ length: count }, (_, index) => `${victim}-${index}`);
    const pods = await Promise.all(
      names.map((name, index) => createPod(world, { name, script: `sleep ${seconds(index)}; exit ${index}` })),
    );
    // In the middle of it: some run, some are being started.
    await waitFor('five containers to run', async () => starts.containers.size >= before + 5, { timeoutMs: 30_000 });
    await service.kill();
    await sleep(6_000);
    await service.start();

    const ended = await Promise.all(names.map((name) => podEnded(world, name, 60_000)));
    expect(ended.map((pod) => exitCode(pod))).toEqual(names.map((_, index) => index));
    expect(ended.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).toEqual(names.map(() => 0));
    expect(ended.map(({ metadata }) => metadata.uid)).toEqual(pods.map(({ metadata }) => metadata.uid));
    expect(starts.perContainer(pods.map(({ metadata }) => metadata.uid))).toEqual(pods.map(() => 1));

    await Promise.all(names.map((name) => deletePod(world, name)));
    await Promise.all(pods.map(({ metadata }) => podGone(world, metadata.name, metadata.uid)));
    await noContainers(world);
  });

  it.each(victims)('of %s: a delete that was under way is finished', async (victim) => {
    const service = serviceOf(world.chain, victim);
    const pod = await createPod(world, {
      name: `slow-${victim}`,
      script: 'trap "sleep 3; exit 9" TERM; while :; do sleep 0.1; done',
      spec: { terminationGracePeriodSeconds: 30 },
    });
    await podRunning(world, `slow-${victim}`);
    await deletePod(world, `slow-${victim}`);
    await sleep(500);
    await service.kill();
    await service.start();
    await podGone(world, `slow-${victim}`, pod.metadata.uid, 40_000);
    await noContainers(world, pod.metadata.uid);
  });
});

function serviceOf({ sidecar, api, vkNode }: World['chain'], name: string): Service {
  const service = [sidecar, api, vkNode].find((one) => one.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return service;
}
