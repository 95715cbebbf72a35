import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor, type Service } from '@interlink/testbed';
import { createPod, deletePod, getPod, startWorld, type World } from '../support/world.ts';

const idleSeconds = 120;
/** A ping every 30 s, and one that may fall on the edge. */
const maxPings = 5;
const maxStatuses = 1;

/** hop -> [service that asks, what counts as a ping, what counts as a look at the pods] */
const hops = {
  'vk-node -> api': ['vkNode', /^interlink-api ping$/, /^interlink-api (status|logs|create|delete)$/],
  'api -> sidecar': ['api', /^sidecar (ping|status)$/, /^sidecar (create|delete|logs)$/],
  'sidecar -> engine': ['sidecar', /^engine info$/, /^engine (?!info$)/],
} as const;

describe('while pods idle', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('idle');
  });
  afterAll(() => world.stop());

  it.each([10, 100])(
    '%d pods cost no more than the pings',
    async (count) => {
      const names = Array.from({ length: count }, (_, index) => `idle-${count}-${index}`);
      await Promise.all(names.map((name) => createPod(world, { name, script: 'sleep 100000' })));
      await waitFor(
        'all pods to run',
        async () => {
          const pods = await Promise.all(names.map((name) => getPod(world, name)));
          return pods.every((pod) => pod?.status?.phase === 'Running');
        },
        { timeoutMs: 170_000, intervalMs: 1_000 },
      );
      // What the starts still cause is over by then.
      await sleep(5_000);
      const before = await counts(world);
      await sleep(idleSeconds * 1_000);
      const after = await counts(world);
      for (const [hop, { pings, looks, all }] of after) {
        const then = before.get(hop);
        const spent = { pings: pings - (then?.pings ?? 0), looks: looks - (then?.looks ?? 0) };
        console.info(
          `${count} idle pods, ${idleSeconds} s, ${hop}: ${spent.pings} pings, ${spent.looks} other requests`,
        );
        expect({ hop, ...spent, all }).toMatchObject({ hop });
        expect(spent.pings).toBeLessThanOrEqual(maxPings);
        expect(spent.looks).toBeLessThanOrEqual(maxStatuses);
      }
      const [vkBefore, vkAfter] = [before, after].map((one) => one.get('vk-node -> api')?.kube ?? 0);
      // Leases (one each 10 s, and that of the leader each 5 s) and nothing per pod.
      console.info(
        `${count} idle pods, ${idleSeconds} s, vk-node -> kube-apiserver: ${(vkAfter ?? 0) - (vkBefore ?? 0)} requests`,
      );
      expect((vkAfter ?? 0) - (vkBefore ?? 0)).toBeLessThanOrEqual(idleSeconds / 10 + idleSeconds / 4 + 10);
      await Promise.all(names.map((name) => deletePod(world, name, 0)));
      await sleep(5_000);
    },
    600_000,
  );
});

interface HopCount {
  readonly pings: number;
  readonly looks: number;
  readonly kube: number;
  readonly all: string;
}

async function counts({ chain }: World): Promise<Map<string, HopCount>> {
  const result = new Map<string, HopCount>();
  for (const [hop, [part, ping, look]] of Object.entries(hops)) {
    const service: Service = chain[part];
    const made = [...(await service.requestsMade())];
    const sum = (which: RegExp) =>
      made.filter(([request]) => which.test(request)).reduce((total, [, count]) => total + count, 0);
    result.set(hop, { pings: sum(ping), looks: sum(look), kube: sum(/^kube-apiserver /), all: JSON.stringify(made) });
  }
  return result;
}
