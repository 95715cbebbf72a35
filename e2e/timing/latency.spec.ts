import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@interlink/testbed';
import { z } from 'zod';
import { explained } from '../support/explain.ts';
import { containersOf, createPod, startWorld, type World } from '../support/world.ts';

const count = 50;
/** Between two ends. */
const spacingMs = 250;
const endSchema = z.object({ name: z.string(), at: z.number() });

describe("from the engine's FinishedAt to the status in a watch of another process", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('latency');
  });
  afterAll(() => world.stop());

  it(`takes under 100 ms at the median, over ${count} pods that end ${spacingMs} ms apart`, async () => {
    const script = fileURLToPath(new URL('../support/watch-ends.ts', import.meta.url));
    const watcher = spawn(process.execPath, [script, world.cluster.kubeconfig, world.chain.nodeName], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen = new Map<string, number>();
    const lines = createInterface({ input: watcher.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      const { name, at } = endSchema.parse(JSON.parse(line));
      seen.set(name, at);
    });
    try {
      // Each container waits for a moment of its own, so the ends are evenly spaced whatever the starts were.
      const first = Math.ceil(Date.now() / 1000) + 25;
      const pods = await Promise.all(
        Array.from({ length: count }, (_, index) => {
          const end = ((first * 1000 + index * spacingMs) / 1000).toFixed(2);
          const wait = `now=$(cut -d' ' -f1 /proc/uptime); boot=$(awk '/btime/{print $2}' /proc/stat)`;
          return createPod(world, {
            name: `end-${index}`,
            script: `${wait}; sleep $(awk -v e=${end} -v n=$now -v b=$boot 'BEGIN{print e-b-n}')`,
          });
        }),
      );
      await explained(world, () =>
        waitFor('all ends to be seen', async () => seen.size === count, { timeoutMs: 120_000 }),
      );
      const latencies: number[] = [];
      for (const { metadata } of pods) {
        const main = (await containersOf(world, metadata.uid)).find(({ role }) => role === 'main');
        const { State } = await world.engine.docker.getContainer(main?.id ?? '').inspect();
        latencies.push((seen.get(metadata.name) ?? NaN) - Date.parse(State.FinishedAt));
      }
      latencies.sort((one, other) => one - other);
      const [p50, p95] = [0.5, 0.95].map((part) => latencies[Math.floor(part * count)] ?? NaN);
      console.info(
        `container exit -> status visible, ${count} pods: p50 ${p50} ms, p95 ${p95} ms, max ${latencies.at(-1)} ms`,
      );
      expect(p50).toBeLessThan(100);
      expect(p50).toBeGreaterThan(0);
    } finally {
      watcher.kill();
    }
  });
});
