import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContractClient } from '@interlink/contract';
import { EventRecorder, isUnreachable, KubeClient, LeaderLease } from '@interlink/kube';
import {
  createServiceApp,
  readPrivateFile,
  startServer,
  type RunningService,
  type ServiceContext,
} from '@interlink/service-kit';
import { ownAddress, ownerOf } from './cluster.ts';
import type { Config } from './config.ts';
import { startKubelet } from './kubelet/kubelet.ts';
import { siteProvider } from './kubelet/site-provider.ts';
import { NodeController } from './node/node-controller.ts';
import { LostJobs } from './pods/lost-jobs.ts';
import { ObjectReader } from './pods/object-reader.ts';
import { PodController } from './pods/pod-controller.ts';
import { PodWriter } from './pods/pod-writer.ts';
import { Services } from './pods/services.ts';
import { Submitter } from './pods/submitter.ts';
import { Terminator } from './pods/terminator.ts';
import { SiteLink } from './site/site-link.ts';
import { LiveUpdates } from './updates/live-updates.ts';

/** Wires everything and runs it while this process is the one that acts for the node. */
export async function startVirtualNode(config: Config, context: ServiceContext): Promise<RunningService> {
  const { log, metrics, signal } = context;
  const observeKube = metrics.clientObserver('kube-apiserver');
  const client = KubeClient.load({
    ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
    onRequest: ({ method, resource, status, seconds }) =>
      observeKube(`${method} ${resource}`, status === 0 ? 'unreachable' : String(status), seconds),
  });
  const api = await apiClient(config, metrics.clientObserver('interlink-api'));
  const leader = { acting: false };
  const app = createServiceApp({
    name: context.name,
    version: context.version,
    log,
    metrics,
    ready: () =>
      leader.acting ? undefined : 'another vk-node acts for this node, or the API server cannot be reached',
    mount: () => undefined,
  });
  const server = await startServer({ listen: config.listen ?? [], app, log, signal });
  const stop = new AbortController();
  const life = AbortSignal.any([signal, stop.signal]);
  const lease = new LeaderLease({
    client,
    namespace: config.leaderNamespace,
    name: `interlink-${config.node.name}`,
    // Not the node's name: two that want the same node must differ. The same after a restart, to go on at once.
    identity: hostname(),
    onError: (err) => log.warn({ err }, 'the leader lease cannot be kept'),
  });
  const work = lease.run(life, {
    onAcquired: async (leading) => {
      leader.acting = true;
      await act(config, context, client, api, leading);
    },
    onLost: () => {
      leader.acting = false;
    },
  });
  return {
    work,
    async stop() {
      stop.abort();
      await work;
      await server.stop();
    },
  };
}

async function act(
  config: Config,
  context: ServiceContext,
  client: KubeClient,
  api: ContractClient,
  leading: AbortSignal,
): Promise<void> {
  const { log, metrics } = context;
  const nodeName = config.node.name;
  const owner = await untilReachable(() => ownerOf(client, nodeName, leading), context, leading);
  if (owner === undefined) return;
  const events = new EventRecorder({
    client,
    component: 'interlink-vk-node',
    host: nodeName,
    // Pods come in bursts, and each has its Event.
    queueSize: 10_000,
    onError: (err) => log.debug({ err }, 'an event was dropped'),
  });
  const link: SiteLink = new SiteLink({
    client: api,
    owner,
    log,
    submitted: () => pods.submitted(),
    classicPollMs: config.classicPoll,
    handlers: {
      status: (uid, status) => pods.statusChanged(uid, status),
      snapshot: () => pods.snapshot(),
      missing: (uid) => pods.statusMissing(uid),
      state: (state) => {
        log.info(state, 'site link');
        node.touch();
        if (state.state === 'up') pods.siteBack();
      },
    },
  });
  const services = config.serviceEnvironment ? new Services(client, log) : undefined;
  const writer = new PodWriter(client, events);
  const updates = new LiveUpdates({
    api,
    client,
    link,
    owner,
    nodeName,
    allocatable: () => node.allocatable,
    serviceEnv: services && ((pod) => services.envOf(pod)),
    intervalMs: config.updateInterval,
    log,
    now: Date.now,
  });
  const pods: PodController = new PodController({
    client,
    nodeName,
    link,
    writer,
    updates,
    log,
    now: Date.now,
    submitter: new Submitter({
      api,
      client,
      reader: new ObjectReader(client),
      writer,
      updates,
      link,
      owner,
      nodeName,
      serviceEnv: services && ((pod) => services.envOf(pod)),
      allocatable: () => node.allocatable,
      startedAt: Date.now(),
      now: Date.now,
    }),
    terminator: new Terminator({ api, writer, link, owner }),
    lostJobs: new LostJobs({ api, link, writer, owner, lostAfter: config.lostAfter, now: Date.now }),
  });
  const address = config.node.address ?? ownAddress();
  const kubelet = await startKubelet({
    client,
    nodeName,
    nodeIP: address,
    ...config.kubelet,
    provider: siteProvider({ api, pods, link, owner }),
    log,
    metrics,
    signal: leading,
  });
  const node: NodeController = new NodeController({
    client,
    node: config.node,
    address,
    kubeletPort: () => kubelet.port,
    version: context.version,
    ping: (signal) => api.ping({ owner, signal }),
    pingIntervalMs: config.pingInterval,
    link: () => link.state,
    log,
  });
  const done = new AbortController();
  const writingEvents = events.run(done.signal);
  try {
    await Promise.all([
      node.run(leading),
      link.run(leading),
      pods.run(leading),
      updates.run(leading),
      services?.run(leading),
    ]);
  } finally {
    await kubelet.stop();
    // After the others: what they had to say at the end is written too.
    await events.flush();
    done.abort();
    await writingEvents;
  }
}

async function apiClient(
  config: Config,
  observe: (route: string, outcome: string, seconds: number) => void,
): Promise<ContractClient> {
  const { endpoint, tls, keyFile } = config.api;
  const pem = async (file: string | undefined) => (file === undefined ? undefined : readFile(file, 'utf8'));
  const [ca, cert, key] = await Promise.all([pem(tls?.caFile), pem(tls?.certFile), pem(tls?.keyFile)]);
  return new ContractClient({
    leg: 'api',
    peer: 'interlink-api',
    endpoint,
    tls: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
    ...(keyFile === undefined ? {} : { bearer: async () => (await readPrivateFile(keyFile)).trim() }),
    observe,
  });
}

async function untilReachable<T>(
  run: () => Promise<T>,
  { log }: ServiceContext,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await run();
    } catch (err) {
      if (!isUnreachable(err)) throw err;
      log.warn({ err }, 'the API server cannot be reached; trying again');
      await sleep(Math.min(10_000, 500 * 2 ** failures), undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
