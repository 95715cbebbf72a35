import { z } from 'zod';
import { BareClient } from './bare-client.ts';
import { podManifest, podName, podsPath } from './bench-pod.ts';
import { helperConfig, now, serveParent } from './helper-process.ts';
import { inFlight } from './in-flight.ts';
import { PodWatch } from './pod-watch.ts';

/**
 * The user's side, in a process of its own: creates and deletes pods and sees in a watch what becomes of them. All times
 * are ms since the epoch, one for each pod of the batch, in order.
 */
const { kubeconfig, namespace, nodeName, concurrency } = helperConfig(
  z.object({ kubeconfig: z.string(), namespace: z.string(), nodeName: z.string(), concurrency: z.number() }),
);
const client = await BareClient.open(kubeconfig);
const watch = new PodWatch(kubeconfig, { namespace, nodeName });
const watching = watch.run();

const batch = z.object({ batch: z.string(), count: z.number() });
const requestSchema = z.discriminatedUnion('do', [
  batch.extend({ do: z.literal('oneByOne') }),
  batch.extend({ do: z.literal('create') }),
  batch.extend({ do: z.literal('awaitEnds') }),
  batch.extend({ do: z.literal('delete') }),
]);

serveParent(requestSchema, async (request) => {
  await Promise.race([watch.synced, watching]);
  const names = Array.from({ length: request.count }, (_, index) => podName(request.batch, index));
  switch (request.do) {
    case 'oneByOne': {
      const createdAt: number[] = [];
      for (const name of names) {
        createdAt.push(now());
        await create(name);
        await watch.all([name], 'running');
      }
      return { createdAt, runningAt: watch.times(names, 'running') };
    }
    case 'create': {
      const createdAt: number[] = [];
      await inFlight(names.length, concurrency, async (index) => {
        createdAt[index] = now();
        await create(names[index] ?? '');
      });
      return { createdAt, runningAt: await watch.all(names, 'running') };
    }
    case 'awaitEnds':
      return { endedAt: await watch.all(names, 'ended') };
    case 'delete': {
      const startedAt = now();
      await inFlight(names.length, concurrency, async (index) => {
        await client.send({ method: 'DELETE', path: `${podsPath(namespace)}/${names[index]}` });
      });
      return { startedAt, deletedAt: await watch.all(names, 'deleted') };
    }
  }
});

async function create(name: string): Promise<void> {
  const body = podManifest(name, { namespace, nodeName });
  await client.send({ method: 'POST', path: podsPath(namespace), body });
}
