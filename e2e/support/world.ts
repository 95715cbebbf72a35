import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { podSchema, type Pod } from '@interlink/contract';
import { isNotFound, KubeClient } from '@interlink/kube';
import {
  ensureBusybox,
  ensureEngine,
  startChain,
  startControlPlane,
  waitFor,
  type Chain,
  type ChainOptions,
  type ControlPlane,
  type Engine,
} from '@interlink/testbed';
import { z } from 'zod';

export const image = 'busybox:1.35';

/** A real control plane, a real engine, and the three services between them: one of each for a spec file. */
export interface World {
  readonly cluster: ControlPlane;
  readonly engine: Engine;
  readonly chain: Chain;
  readonly kube: KubeClient;
  stop(): Promise<void>;
}

export async function startWorld(name: string, options: Partial<ChainOptions> = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), `interlink-${name}-`));
  const engine = await ensureEngine();
  await ensureBusybox(engine.docker);
  const cluster = await startControlPlane({ dir: join(dir, 'cluster'), name });
  const site = `${name}-${process.pid}`;
  const chain = await startChain({ cluster, engine, nodeName: `${name}-node`, site, ...options });
  return {
    cluster,
    engine,
    chain,
    kube: KubeClient.load({ kubeconfig: cluster.kubeconfig }),
    async stop() {
      await chain.stop();
      await cluster.stop();
      await engine.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface PodOptions {
  readonly name: string;
  /** Run by `sh -c`. */
  readonly script: string;
  readonly spec?: Record<string, unknown>;
  readonly container?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
}

export function podManifest({
  name,
  script,
  spec = {},
  container = {},
  metadata = {},
}: PodOptions): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image, command: ['sh', '-c', script], ...container }],
      ...spec,
    },
  };
}

const pods = '/api/v1/namespaces/default/pods';

export async function createPod({ kube }: Pick<World, 'kube'>, options: PodOptions): Promise<Pod> {
  return kube.create({ path: pods, body: podManifest(options), schema: podSchema });
}

export async function getPod({ kube }: Pick<World, 'kube'>, name: string): Promise<Pod | undefined> {
  try {
    return await kube.get({ path: `${pods}/${name}`, schema: podSchema });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export async function deletePod(
  { kube }: Pick<World, 'kube'>,
  name: string,
  gracePeriodSeconds?: number,
): Promise<void> {
  await kube.delete({ path: `${pods}/${name}`, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) });
}

export async function podWhere(
  world: Pick<World, 'kube'>,
  name: string,
  what: string,
  holds: (pod: Pod) => boolean,
  timeoutMs = 30_000,
): Promise<Pod> {
  return waitFor(
    `pod ${name}: ${what}`,
    async () => {
      const pod = await getPod(world, name);
      return pod !== undefined && holds(pod) ? pod : undefined;
    },
    { timeoutMs },
  );
}

export const podEnded = (world: Pick<World, 'kube'>, name: string, timeoutMs?: number) =>
  podWhere(
    world,
    name,
    'to end',
    ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed',
    timeoutMs,
  );

export const podRunning = (world: Pick<World, 'kube'>, name: string) =>
  podWhere(world, name, 'to run', ({ status }) => status?.phase === 'Running');

export async function podGone(
  world: Pick<World, 'kube'>,
  name: string,
  uid: string,
  timeoutMs = 30_000,
): Promise<void> {
  await waitFor(`pod ${name} to be gone`, async () => (await getPod(world, name))?.metadata.uid !== uid, { timeoutMs });
}

export function exitCode(pod: Pod, container = 'main'): number | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === container)?.state?.terminated?.exitCode;
}

export async function logs({ cluster }: Pick<World, 'cluster'>, name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(['logs', name, ...args]);
  if (code !== 0) throw new Error(`kubectl logs ${name}: ${stderr}`);
  return stdout;
}

const eventsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      reason: z.string(),
      message: z.string(),
      type: z.string(),
      source: z.looseObject({ component: z.string().optional() }),
    }),
  ),
});

/** The Events that vk-node has written about a pod. */
export async function eventsOf(
  { kube }: Pick<World, 'kube'>,
  uid: string,
): Promise<{ reason: string; message: string; type: string }[]> {
  const { items } = await kube.get({
    path: '/api/v1/namespaces/default/events',
    query: { fieldSelector: `involvedObject.uid=${uid}` },
    schema: eventsSchema,
  });
  return items.filter(({ source }) => source.component === 'interlink-vk-node');
}

/** Containers of this site on the engine, running or not, sandboxes too. */
export async function containersOf(
  { engine, chain }: Pick<World, 'engine' | 'chain'>,
  uid?: string,
): Promise<{ id: string; role: string; state: string }[]> {
  const label = [`interlink.eu/site=${chain.site}`, ...(uid === undefined ? [] : [`interlink.eu/uid=${uid}`])];
  const found = await engine.docker.listContainers({ all: true, filters: { label } });
  return found.map(({ Id, Labels, State }) => ({ id: Id, role: Labels['interlink.eu/role'] ?? '', state: State }));
}

export async function noContainers(
  world: Pick<World, 'engine' | 'chain'>,
  uid?: string,
  timeoutMs = 30_000,
): Promise<void> {
  await waitFor('no container to be left', async () => (await containersOf(world, uid)).length === 0, {
    timeoutMs,
    intervalMs: 100,
  });
}
