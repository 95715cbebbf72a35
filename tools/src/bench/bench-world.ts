import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Chain,
  type Cluster,
  ensureBusybox,
  ensureEngine,
  type Engine,
  Service,
  startChain,
  startChainOf,
  startControlPlane,
  step,
  TestbedError,
  useCluster,
  waitFor,
} from '@interlink/testbed';
import { bundleApp } from '../build/bundle.ts';
import { now } from './helper-process.ts';
import type { BenchOptions } from './options.ts';

/** The chain under test and the cluster that it serves. */
export interface BenchWorld {
  readonly cluster: Cluster;
  readonly chain: Chain;
  readonly namespace: string;
  /** Ends all pods that run, with code 0. @returns when that was asked for, ms since the epoch. */
  endAllPods(): Promise<number>;
}

type Stops = (() => Promise<unknown>)[];

const chainName = `bench-${process.pid}`;
/** Of the pods of the bare client: no vk-node serves it. */
export const rawNodeName = `${chainName}-raw`;

/** Every part puts its end on `stops` as soon as it is there, so that a failure half-way leaves nothing behind. */
export async function startBenchWorld(options: BenchOptions, dir: string, stops: Stops): Promise<BenchWorld> {
  const cluster =
    (await useCluster()) ??
    (await step('starting a Kubernetes control plane', () =>
      startControlPlane({ dir: join(dir, 'cluster'), name: 'bench' }),
    ));
  stops.push(() => cluster.stop());
  const namespace = await makeNamespace(cluster);
  stops.push(() => cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']));
  // What users run, not the sources: those take memory that a built service does not.
  const programs = join(dir, 'programs');
  await step('building the services', async () => {
    for (const app of ['vk-node', 'interlink-api', 'docker-sidecar']) await bundleApp(app, programs);
  });
  const common = { cluster, nodeName: chainName, site: chainName, programs };
  stops.push(() => cluster.kubectl(['delete', 'node', chainName, rawNodeName, '--ignore-not-found']));
  if (options.backend === 'docker') {
    const engine = await ensureEngine();
    stops.push(() => engine.stop());
    await ensureBusybox(engine.docker);
    const sidecar = { capacity: { pods: String(options.pods + 100) } };
    const chain = await step('starting the chain', () => startChain({ ...common, engine, sidecar }));
    stops.push(() => chain.stop());
    return { cluster, chain, namespace, endAllPods: () => signalContainers(engine, chain.site) };
  }
  const chain = await step('starting the chain', () =>
    startChainOf({
      ...common,
      makeSidecar: async (chainDir) => stubSidecar(options, chainDir),
      removeLeftovers: async () => 0,
    }),
  );
  stops.push(() => chain.stop());
  return { cluster, chain, namespace, endAllPods: () => endStubPods(chain.sidecar) };
}

function stubSidecar({ delayMs }: BenchOptions, dir: string): Service {
  return new Service({
    app: 'stub-sidecar',
    main: fileURLToPath(new URL('stub-sidecar.ts', import.meta.url)),
    dir,
    config: { site: chainName, spool: join(dir, 'spool'), delayMs },
  });
}

/** What pods need to start: the service account, and the ConfigMap that goes with its token. */
async function makeNamespace(cluster: Cluster): Promise<string> {
  const made = await cluster.kubectl(['create', 'namespace', chainName]);
  if (made.code !== 0) throw new TestbedError(`the bench's namespace cannot be made: ${made.stderr}`);
  const wanted = ['get', 'serviceaccount/default', 'configmap/kube-root-ca.crt', '-n', chainName];
  await waitFor("the namespace's service account", async () => (await cluster.kubectl(wanted)).code === 0, {
    timeoutMs: 30_000,
  });
  return chainName;
}

async function endStubPods({ socketPath }: Service): Promise<number> {
  const moment = now();
  await new Promise<void>((resolve, reject) => {
    const call = request({ socketPath, path: '/end/0', method: 'POST', timeout: 30_000 }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new TestbedError(`the stub sidecar answered /end with ${response.statusCode}`));
      });
    });
    call.once('timeout', () => call.destroy(new TestbedError('the stub sidecar did not answer /end')));
    call.once('error', reject);
    call.end();
  });
  return moment;
}

async function signalContainers({ docker }: Engine, site: string): Promise<number> {
  const label = [`interlink.eu/site=${site}`, 'interlink.eu/role=main'];
  const running = await docker.listContainers({ filters: { label } });
  const moment = now();
  await Promise.all(running.map(({ Id }) => docker.getContainer(Id).kill({ signal: 'SIGUSR1' })));
  return moment;
}
