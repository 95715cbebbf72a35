import { rm } from 'node:fs/promises';
import { runOrFail } from '@interlink/testbed';
import { z } from 'zod';
import { createPod, deletePod, logs, podEnded, podRunning, podWhere, startWorld, type World } from './support/world.ts';

const resource = 'example.org/board';
const paths = [0, 1].map((index) => `/dev/interlink-test-${process.pid}-${index}`);
const list = `cd /dev && ls interlink-test-* 2>/dev/null; true`;
const nodeSchema = z.looseObject({ status: z.looseObject({ allocatable: z.record(z.string(), z.string()) }) });

describe('devices', () => {
  let world: World;
  beforeAll(async () => {
    // As /dev/null is.
    for (const path of paths) await runOrFail(['mknod', '--mode=0666', path, 'c', '1', '3']);
    world = await startWorld('devices', { sidecar: { devices: { [resource]: { paths } } } });
  });
  afterAll(async () => {
    await world.stop();
    for (const path of paths) await rm(path, { force: true });
  });

  /** On the node whatever the scheduler thinks: what is lent out is for the site to know. */
  const create = (name: string, script: string, count: number, container: Record<string, unknown> = {}) =>
    createPod(world, {
      name,
      script: `${list}; ${script}`,
      spec: { nodeName: world.chain.nodeName },
      container: { ...(count > 0 ? { resources: { limits: { [resource]: count } } } : {}), ...container },
    });
  const seenBy = async (name: string) => (await logs(world, name)).split('\n').filter((line) => line !== '');
  const names = paths.map((path) => path.slice('/dev/'.length));

  it('are what the node offers', async () => {
    const node = await world.kube.get({ path: `/api/v1/nodes/${world.chain.nodeName}`, schema: nodeSchema });
    expect(node.status.allocatable[resource]).toBe('2');
  });

  it('are given to one pod each, kept through a crash of the sidecar, and given on when it ends', async () => {
    await create('none', 'true', 0);
    await create('one', 'echo x > /dev/interlink-test-*; sleep 600', 1);
    await podRunning(world, 'one');
    await create('two', 'sleep 600', 1);
    await podRunning(world, 'two');
    const given = [...(await seenBy('one')), ...(await seenBy('two'))];
    expect(given.sort()).toEqual(names);
    await podEnded(world, 'none');
    expect(await seenBy('none')).toEqual([]);

    await world.chain.sidecar.kill();
    await world.chain.sidecar.start();
    await create('three', 'true', 1);
    const isShort = (pod: Awaited<ReturnType<typeof podRunning>>) =>
      pod.status?.containerStatuses?.[0]?.state?.waiting?.message?.startsWith('requested number of devices') ?? false;
    const waiting = await podWhere(world, 'three', 'to wait for a device', isShort);
    expect(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      `requested number of devices unavailable for ${resource}. Requested: 1, Available: 0`,
    );

    const [ofOne] = await seenBy('one');
    await deletePod(world, 'one', 0);
    await podEnded(world, 'three');
    expect(await seenBy('three')).toEqual([ofOne]);
  });

  it('more than there are at all are refused', async () => {
    await create('greedy', 'true', 3);
    const pod = await podEnded(world, 'greedy');
    expect(pod.status).toMatchObject({ phase: 'Failed', reason: 'Unsupported' });
    expect(pod.status?.message).toContain(`the pod asks for 3, it has 2`);
  });
});
