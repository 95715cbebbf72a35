import { setTimeout as sleep } from 'node:timers/promises';
import type { PingReply } from '@interlink/contract';
import { isAlreadyExists, isNotFound, NodeLease, Reflector, type KubeClient } from '@interlink/kube';
import type { Logger } from '@interlink/service-kit';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { LinkState } from '../site/site-link.ts';
import { nodeConditions, nodeLabels, nodeResources, nodeTaints, taintId, type NodeCondition } from './node-object.ts';

const text = z.string().nullish();
const nodeSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z
    .looseObject({ taints: z.array(z.looseObject({ key: z.string(), value: text, effect: z.string() })).nullish() })
    .default({}),
  status: z
    .looseObject({
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: text,
            message: text,
            lastTransitionTime: text,
          }),
        )
        .nullish(),
    })
    .default({}),
});

type KubeNode = z.infer<typeof nodeSchema>;

/** Which taints we have set, so that those of others (cordon, cloud) are never touched. */
const taintsAnnotation = 'interlink.eu/taints';
const leaseRenewMs = 10_000;
const retryMs = 1_000;

export interface NodeControllerOptions {
  readonly client: KubeClient;
  readonly node: Config['node'];
  readonly address: string;
  readonly kubeletPort: () => number;
  readonly version: string;
  readonly ping: (signal: AbortSignal) => Promise<PingReply>;
  readonly pingIntervalMs: number;
  readonly link: () => LinkState;
  readonly log: Logger;
}

/** Keeps the Node object as it should be: made, labelled, tainted, with capacity, conditions and lease. */
export class NodeController {
  readonly #o: NodeControllerOptions;
  readonly #reflector: Reflector<KubeNode>;
  #ping: PingReply | undefined;
  #wake: () => void = () => undefined;

  constructor(options: NodeControllerOptions) {
    this.#o = options;
    const changed = () => this.touch();
    this.#reflector = new Reflector({
      client: options.client,
      path: '/api/v1/nodes',
      fieldSelector: `metadata.name=${options.node.name}`,
      schema: nodeSchema,
      handlers: { added: changed, modified: changed, deleted: changed, synced: changed },
      onError: (err) => options.log.warn({ err }, 'the node cannot be watched'),
    });
  }

  /** Something that the Node object shows may have changed. */
  touch(): void {
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#reflector.run(signal),
      this.#reconcileLoop(signal),
      this.#leaseLoop(signal),
      this.#pingLoop(signal),
    ]);
  }

  async #reconcileLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      try {
        if (this.#reflector.hasSynced) await this.#reconcile(signal);
        await woken;
      } catch (err) {
        if (signal.aborted) return;
        this.#o.log.warn({ err }, 'the node cannot be updated; trying again');
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const { client, node } = this.#o;
    const known = this.#reflector.store.get(undefined, node.name) ?? (await this.#create(signal));
    const path = `/api/v1/nodes/${node.name}`;
    const meta = this.#metadataPatch(known);
    if (meta) await client.patch({ path, type: 'merge', body: meta, signal, schema: z.unknown() });
    const status = this.#statusPatch(known);
    if (status)
      await client.patch({ path: `${path}/status`, type: 'strategic', body: { status }, signal, schema: z.unknown() });
  }

  async #create(signal: AbortSignal): Promise<KubeNode> {
    const { client, node, link } = this.#o;
    const taints = nodeTaints(node, this.#ping, link());
    const body = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: node.name,
        labels: nodeLabels(node),
        annotations: { [taintsAnnotation]: taints.map(taintId).join(',') },
      },
      spec: { providerID: `external:///${node.name}`, taints },
    };
    try {
      return await client.create({ path: '/api/v1/nodes', body, signal, schema: nodeSchema });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return client.get({ path: `/api/v1/nodes/${node.name}`, signal, schema: nodeSchema });
    }
  }

  #metadataPatch(known: KubeNode): object | undefined {
    const { node, link } = this.#o;
    const labels = Object.entries(nodeLabels(node)).filter(([key, value]) => known.metadata.labels?.[key] !== value);
    const ours = nodeTaints(node, this.#ping, link());
    const set = new Set((known.metadata.annotations?.[taintsAnnotation] ?? '').split(','));
    const wanted = new Set(ours.map(taintId));
    const present = known.spec.taints ?? [];
    const others = present.filter((taint) => !set.has(taintId(id(taint))) && !wanted.has(taintId(id(taint))));
    const taints = [...others, ...ours];
    const ids = (list: readonly { key: string; value?: string | null | undefined; effect: string }[]) =>
      list
        .map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`)
        .sort()
        .join();
    const annotation = ours.map(taintId).join(',');
    const sameTaints = ids(taints) === ids(present);
    if (labels.length === 0 && sameTaints && known.metadata.annotations?.[taintsAnnotation] === annotation)
      return undefined;
    return {
      metadata: { labels: Object.fromEntries(labels), annotations: { [taintsAnnotation]: annotation } },
      ...(sameTaints ? {} : { spec: { taints } }),
    };
  }

  #statusPatch(known: KubeNode): object | undefined {
    const { node, link, address, version, kubeletPort } = this.#o;
    const resources = nodeResources(node, this.#ping);
    const status = {
      capacity: resources,
      allocatable: resources,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: node.name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort() } },
      nodeInfo: { ...unknownNodeInfo, kubeletVersion: `v${version}-interlink` },
    };
    const conditions = changedConditions(nodeConditions(link()), known.status.conditions ?? []);
    const gone = Object.keys({ ...record(known.status['capacity']) }).filter((name) => resources[name] === undefined);
    if (gone.length === 0 && conditions.length === 0 && contains(known.status, status)) return undefined;
    const dropped = Object.fromEntries(gone.map((name) => [name, null]));
    return { ...status, capacity: { ...resources, ...dropped }, allocatable: { ...resources, ...dropped }, conditions };
  }

  async #leaseLoop(signal: AbortSignal): Promise<void> {
    const lease = new NodeLease({ client: this.#o.client, nodeName: this.#o.node.name, durationSeconds: 40 });
    while (!signal.aborted) {
      const uid = this.#reflector.store.get(undefined, this.#o.node.name)?.metadata.uid;
      try {
        if (uid !== undefined) await lease.renew(uid, signal);
      } catch (err) {
        if (!signal.aborted && !isNotFound(err)) this.#o.log.warn({ err }, 'the node lease cannot be renewed');
      }
      await sleep(uid === undefined ? 100 : leaseRenewMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #pingLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pause = this.#o.pingIntervalMs;
      try {
        this.#ping = await this.#o.ping(signal);
        this.touch();
      } catch (err) {
        // Not news: the event link says so, with its reason. Until the first answer there is no capacity, so hurry.
        this.#o.log.debug({ err }, 'ping failed');
        if (this.#ping === undefined) pause = Math.min(pause, retryMs);
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** All fields are mandatory, and none means anything for a node that is not a machine. */
const unknownNodeInfo = {
  architecture: 'virtual-kubelet',
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  machineID: '',
  operatingSystem: 'linux',
  osImage: 'Interlink',
  systemUUID: '',
};

function id({ key, effect }: { key: string; effect: string }): { key: string; effect: string } {
  return { key, effect };
}

function changedConditions(
  wanted: readonly NodeCondition[],
  known: NonNullable<KubeNode['status']['conditions']>,
): object[] {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return wanted.flatMap((condition) => {
    const old = known.find(({ type }) => type === condition.type);
    const { status, reason, message } = condition;
    if (old?.status === status && old.reason === reason && old.message === message) return [];
    return [
      {
        ...condition,
        lastHeartbeatTime: now,
        lastTransitionTime: old?.status === status ? (old.lastTransitionTime ?? now) : now,
      },
    ];
  });
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Whether everything in `part` stands in `whole` already. */
function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part || (part === '' && whole === undefined);
  if (Array.isArray(part))
    return (
      Array.isArray(whole) && part.length === whole.length && part.every((item, index) => contains(whole[index], item))
    );
  return Object.entries(part).every(([key, value]) => contains(record(whole)[key], value));
}
