import { readFile } from 'node:fs/promises';
import { podSchema } from '@interlink/contract';
import { z } from 'zod';
import type { World } from './world.ts';

const maxLines = 40;
const warning = /"level":"?(40|50|60|warn|error|fatal)/;

/** Does the work; when it fails, the message also says what the cluster, the engine and the services' logs show. */
export async function explained<T>(world: World, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const parts = await Promise.allSettled([podsNow(world), containersNow(world), warnings(world)]);
    const shown = parts.map((part) => (part.status === 'fulfilled' ? part.value : String(part.reason)));
    throw new Error([String(error), ...shown].join('\n'), { cause: error });
  }
}

async function podsNow({ kube }: World): Promise<string> {
  const { items } = await kube.get({ path: '/api/v1/pods', schema: z.looseObject({ items: z.array(podSchema) }) });
  return items
    .map(({ metadata, status }) => {
      const states = status?.containerStatuses?.map(({ state }) => JSON.stringify(state));
      return `pod ${metadata.name} ${metadata.uid}: ${status?.phase} ${status?.reason ?? ''} ${states?.join(' ') ?? ''}`;
    })
    .join('\n');
}

async function containersNow({ engine, chain }: World): Promise<string> {
  const filters = { label: [`interlink.eu/site=${chain.site}`] };
  const found = await engine.docker.listContainers({ all: true, filters });
  return found.map(({ Names, Labels, Status }) => `${Names[0]} ${Labels['interlink.eu/uid']}: ${Status}`).join('\n');
}

async function warnings({ chain }: World): Promise<string> {
  const logs = [chain.vkNode, chain.api, chain.sidecar].map(async ({ name, logFile }) => {
    const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => warning.test(line));
    return [`${name}: ${lines.length} warnings and errors`, ...lines.slice(-maxLines)].join('\n');
  });
  return (await Promise.all(logs)).join('\n');
}
