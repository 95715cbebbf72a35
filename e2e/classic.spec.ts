import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@interlink/testbed';
import { ClassicPlugin } from './support/classic-plugin.ts';
import {
  createPod,
  deletePod,
  eventsOf,
  exitCode,
  getPod,
  logs,
  podEnded,
  podGone,
  podRunning,
  podWhere,
  startWorld,
  type World,
} from './support/world.ts';

const pollMs = 1_000;

describe('a classic interLink plugin behind our API and vk-node', () => {
  let dir: string;
  let socketPath: string;
  let plugin: ClassicPlugin;
  let world: World;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlink-classic-'));
    socketPath = join(dir, 'plugin.sock');
    plugin = await ClassicPlugin.start(socketPath);
    world = await startWorld('classic', {
      api: { sidecar: { site: 'old-plugin', endpoint: `unix://${socketPath}` } },
      vkNode: {
        classicPoll: `${pollMs}ms`,
        lostAfter: '3s',
        node: { name: 'classic-node', address: '127.0.0.1', taints: [], capacity: { cpu: '16', memory: '16Gi' } },
      },
    });
  });
  afterAll(async () => {
    await world.stop();
    await plugin.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('runs a pod with final values, and says how it ended', async () => {
    const env = [
      { name: 'GREETING', value: 'hello' },
      { name: 'TEXT', value: '$(GREETING) $$(GREETING)' },
    ];
    await createPod(world, { name: 'classic', script: 'echo "$TEXT"; exit 3', container: { env } });
    const pod = await podEnded(world, 'classic');
    expect(pod.status?.phase).toBe('Failed');
    expect(exitCode(pod)).toBe(3);
    expect(await logs(world, 'classic')).toBe('hello $(GREETING)\n');
    expect(pod.metadata.annotations?.['JobID']).toBe('classic-1');
    await deletePod(world, 'classic');
    await podGone(world, 'classic', pod.metadata.uid);
    await jobsGone(plugin);
  });

  it('is asked for all pods in one request', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const pods = await Promise.all(names.map((name) => createPod(world, { name, script: 'sleep 60' })));
    await Promise.all(names.map((name) => podRunning(world, name)));
    plugin.requests.length = 0;
    await sleep(5 * pollMs);
    const asked = plugin.requests.filter((request) => request === 'GET /status').length;
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(asked).toBeLessThanOrEqual(6);
    await Promise.all(names.map((name) => deletePod(world, name)));
    await Promise.all(pods.map(({ metadata }) => podGone(world, metadata.name, metadata.uid)));
    await jobsGone(plugin);
  });

  it('never gets a second create for a pod whose answer was lost', async () => {
    const before = plugin.creates;
    plugin.loseNextAnswer = true;
    await createPod(world, { name: 'lost-answer', script: 'sleep 2' });
    const pod = await podEnded(world, 'lost-answer');
    expect(pod.status?.phase).toBe('Succeeded');
    expect(plugin.creates).toBe(before + 1);
  });

  it('that forgets a job makes its pod Failed, with the reason Lost, after a while', async () => {
    const pod = await createPod(world, { name: 'forgotten', script: 'sleep 60' });
    await podRunning(world, 'forgotten');
    plugin.jobs.get(pod.metadata.uid)?.child.kill('SIGKILL');
    plugin.jobs.delete(pod.metadata.uid);
    const lost = await podWhere(world, 'forgotten', 'to be lost', ({ status }) => status?.phase === 'Failed');
    expect(lost.status?.reason).toBe('Lost');
    await waitFor(
      'the event',
      async () => (await eventsOf(world, pod.metadata.uid)).some(({ reason }) => reason === 'Lost'),
      { timeoutMs: 10_000 },
    );
  });

  it('that is away freezes its pods, and goes on when it is back', async () => {
    await createPod(world, { name: 'frozen', script: 'sleep 6; exit 2' });
    await podRunning(world, 'frozen');
    plugin.isAway = true;
    await sleep(4 * pollMs);
    expect((await getPod(world, 'frozen'))?.status?.phase).toBe('Running');
    plugin.isAway = false;
    expect(exitCode(await podEnded(world, 'frozen'))).toBe(2);
  });
});

/** The API server forgets an ended pod at once; the job follows. */
async function jobsGone(plugin: ClassicPlugin): Promise<void> {
  await waitFor('the plugin to have no job', async () => plugin.jobs.size === 0, { timeoutMs: 10_000 });
}
