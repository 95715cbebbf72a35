import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { type Lease, leasePath, leaseSchema, microTime } from './lease-object.ts';

export interface NodeLeaseOptions {
  client: KubeClient;
  nodeName: string;
  /** How long the node counts as alive after a renewal. Default 40, as the kubelet's. */
  durationSeconds?: number | undefined;
  clock?: Clock | undefined;
}

const namespace = 'kube-node-lease';
const timeoutMs = 10_000;

/** The heartbeat of a Node. Without it the node is NotReady after 40 s and its pods are evicted some minutes later. */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #clock: Clock;
  #last: Lease | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * One heartbeat: a single PUT, but for the first and for one after somebody else wrote. The UID makes the lease go
   * with the Node.
   * @throws KubeError
   */
  async renew(nodeUid: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#renewOnce(nodeUid, signal);
    } catch (error) {
      this.#last = undefined;
      if (!isConflict(error) && !isNotFound(error) && !isAlreadyExists(error)) throw error;
      await this.#renewOnce(nodeUid, signal);
    }
  }

  async #renewOnce(nodeUid: string, signal: AbortSignal | undefined): Promise<void> {
    const { client, nodeName } = this.#options;
    const call = { signal, timeoutMs, urgent: true, schema: leaseSchema };
    const known = this.#last ?? (await this.#existing(signal));
    const body = this.#renewed(known, nodeUid);
    this.#last = await (known === undefined
      ? client.request({ ...call, method: 'POST', path: leasePath(namespace), body })
      : client.request({ ...call, method: 'PUT', path: leasePath(namespace, nodeName), body }));
  }

  async #existing(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    const path = leasePath(namespace, this.#options.nodeName);
    try {
      return await this.#options.client.request({
        method: 'GET',
        path,
        signal,
        timeoutMs,
        urgent: true,
        schema: leaseSchema,
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #renewed(known: Lease | undefined, nodeUid: string): Lease {
    const { nodeName, durationSeconds = 40 } = this.#options;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...known?.metadata,
        name: nodeName,
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid }],
      },
      spec: {
        ...known?.spec,
        holderIdentity: nodeName,
        leaseDurationSeconds: durationSeconds,
        renewTime: microTime(this.#clock.date()),
      },
    };
  }
}
