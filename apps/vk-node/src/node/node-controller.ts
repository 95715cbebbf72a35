import { setTimeout as sleep } from 'node:timers/promises';
import type { PingReply } from '@interlink/contract';
import { isAlreadyExists, isNotFound, NodeLease, Reflector, type KubeClient } from '@interlink/kube';
import type { Logger } from '@interlink/service-kit';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { LinkState } from '../site/site-link.ts';
import { nodeConditions, nodeLabels, nodeResources, nodeTaints, taintId } from './node-object.ts';
import {
  metadataPatch,
  nodeSchema,
  nodeStatusPatch,
  taintsAnnotation,
  type KubeNode,
  type WantedStatus,
} from './node-patch.ts';

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
  #areFeaturesKept = true;
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

  /** What the node offers to pods; undefined until the site has said it. */
  get allocatable(): Record<string, string> | undefined {
    return this.#ping && nodeResources(this.#o.node, this.#ping);
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
    const meta = metadataPatch(known, nodeLabels(node), nodeTaints(node, this.#ping, this.#o.link()));
    if (meta) await client.patch({ path, type: 'merge', body: meta, signal, schema: z.unknown() });
    const status = nodeStatusPatch(known, this.#wantedStatus());
    if (status === undefined) return;
    const body = { status };
    const patched = await client.patch({ path: `${path}/status`, type: 'strategic', body, signal, schema: nodeSchema });
    this.#areFeaturesKept = Boolean(patched.status.declaredFeatures);
  }

  async #create(signal: AbortSignal): Promise<KubeNode> {
    const { client, node, link } = this.#o;
    const taints = nodeTaints(node, this.#ping, link());
    const body = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: node.name,
        labels: Object.fromEntries(Object.entries(nodeLabels(node)).filter(([, value]) => value !== '')),
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

  #wantedStatus(): WantedStatus {
    const { node, address, kubeletPort, version, link } = this.#o;
    const resources = nodeResources(node, this.#ping);
    return {
      name: node.name,
      resources,
      conditions: nodeConditions(link()),
      address,
      kubeletPort: kubeletPort(),
      version,
      areFeaturesKept: this.#areFeaturesKept,
    };
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
