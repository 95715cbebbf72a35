import type { Pod, PodStatus } from '@interlink/contract';
import { isConflict, isNotFound, type EventRecorder, type KubeClient } from '@interlink/kube';
import { statusPatch, toKubeStatus, type OwnPodStatus } from '@interlink/pod-model';
import { onceAccepted } from './accept.ts';
import { leanPodSchema } from './lean-pod.ts';
import { isNewer, type TrackedPod } from './tracked-pod.ts';

export type PodEventReason = 'Submitted' | 'Refused' | 'Waiting' | 'Lost';

/** All that vk-node writes to the cluster about a pod. Every write carries the UID: never to another pod of the name. */
export class PodWriter {
  readonly #client: KubeClient;
  readonly #events: EventRecorder;

  constructor(client: KubeClient, events: EventRecorder) {
    this.#client = client;
    this.#events = events;
  }

  /**
   * Failed before it ran, as the kubelet rejects a pod: no container has a state, or kubectl would show that of the
   * containers instead of the reason.
   */
  async reject(tracked: TrackedPod, rejected: PodStatus, signal: AbortSignal): Promise<boolean> {
    const { pod } = tracked;
    if (pod === undefined) return false;
    const own = toKubeStatus(pod, rejected, new Date());
    return this.#writeStatus(tracked, pod, { ...own, containerStatuses: [], initContainerStatuses: [] }, signal);
  }

  /** @returns whether the pod still exists. Writes nothing when the pod has that status already. */
  async status(tracked: TrackedPod, reported: PodStatus, signal: AbortSignal): Promise<boolean> {
    const { pod } = tracked;
    if (pod === undefined) return false;
    const seen = tracked.jobId === undefined ? pod : onceAccepted(pod);
    return this.#writeStatus(tracked, pod, toKubeStatus(seen, reported, new Date()), signal);
  }

  async patch(tracked: TrackedPod, body: object, signal: AbortSignal): Promise<boolean> {
    const { pod } = tracked;
    if (pod === undefined) return false;
    return this.#ifExists(tracked, () =>
      this.#client.patch({ path: pathOf(pod), type: 'merge', body, signal, schema: leanPodSchema }),
    );
  }

  /** The last step of a pod's life: the API server forgets it. */
  async remove(pod: Pod, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.delete({ path: pathOf(pod), uid: pod.metadata.uid, gracePeriodSeconds: 0, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** Whether the cluster has this very pod (not only one of its name), asked of the API server, not of a cache. */
  async exists(ref: TrackedPod['ref'], signal: AbortSignal): Promise<boolean> {
    try {
      const found = await this.#client.get({ path: pathOf(ref), signal, schema: leanPodSchema });
      return found.metadata.uid === ref.metadata.uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  event({ metadata }: Pod, reason: PodEventReason, message: string): void {
    const { name, namespace, uid } = metadata;
    const type = reason === 'Submitted' ? 'Normal' : 'Warning';
    this.#events.event({ involved: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, type, reason, message });
  }

  #writeStatus(tracked: TrackedPod, pod: Pod, next: OwnPodStatus, signal: AbortSignal): Promise<boolean> {
    const status = statusPatch(pod, next);
    if (status === undefined) return Promise.resolve(true);
    const body = { metadata: { uid: pod.metadata.uid }, status };
    const path = `${pathOf(pod)}/status`;
    return this.#ifExists(tracked, () =>
      this.#client.patch({ path, type: 'strategic', body, signal, schema: leanPodSchema }),
    );
  }

  async #ifExists(tracked: TrackedPod, write: () => Promise<Pod>): Promise<boolean> {
    try {
      const written = await write();
      if (tracked.pod && isNewer(written, tracked.pod)) tracked.pod = written;
      return true;
    } catch (error) {
      // Another pod of this name, or none: the informer is about to say so.
      if (isNotFound(error) || isConflict(error)) return false;
      throw error;
    }
  }
}

function pathOf({ metadata: { namespace, name } }: TrackedPod['ref']): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
