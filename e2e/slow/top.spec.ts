import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMetricsServer, waitFor, type ManagedProcess } from '@interlink/testbed';
import { createPod, podRunning, startWorld, type World } from '../support/world.ts';

/** Building metrics-server takes minutes the first time. */
const startMs = 1_200_000;

describe('kubectl top with the real metrics-server', () => {
  let world: World;
  let dir: string;
  let metricsServer: ManagedProcess;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlink-top-'));
    world = await startWorld('top');
    metricsServer = await startMetricsServer(world.cluster, join(dir, 'metrics-server'));
  }, startMs);
  afterAll(async () => {
    await metricsServer?.kill();
    await world?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('shows what a busy pod and its node use', async () => {
    await createPod(world, { name: 'busy', script: 'while :; do :; done' });
    await podRunning(world, 'busy');
    const line = async (...args: string[]) =>
      (await world.cluster.kubectl(['top', ...args, '--no-headers'])).stdout.trim().split(/\s+/);
    const [, cpu = '', memory = ''] = await waitFor(
      'kubectl top pod to know the pod',
      async () => {
        const words = await line('pod', 'busy');
        return words[0] === 'busy' && words;
      },
      { timeoutMs: 90_000, intervalMs: 1_000 },
    );
    // Of the two cores that the tests have it gets what is left, but surely a good part of one.
    expect(Number(/^(\d+)m$/.exec(cpu)?.[1])).toBeGreaterThan(200);
    expect(memory).toMatch(/^\d+Mi$/);
    const [node, nodeCpu = ''] = await line('node', world.chain.nodeName);
    expect(node).toBe(world.chain.nodeName);
    expect(Number(/^(\d+)m$/.exec(nodeCpu)?.[1])).toBeGreaterThan(200);
  }, 180_000);
});
