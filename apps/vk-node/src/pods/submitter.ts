import { InterlinkError, isCode, type ContractClient, type CreateRequest, type Pod } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import { MissingReference } from '@interlink/pod-model';
import { saysAnything } from '../site/classic-poll.ts';
import type { SiteLink } from '../site/site-link.ts';
import { acceptPatch, siteAnnotation } from './accept.ts';
import { buildCreateRequest } from './create-request.ts';
import { failedStatus, waitingStatus } from './local-status.ts';
import type { ObjectReader } from './object-reader.ts';
import type { PodWriter } from './pod-writer.ts';
import type { TrackedPod } from './tracked-pod.ts';
import type { LiveUpdates } from '../updates/live-updates.ts';

export interface SubmitterOptions {
  readonly api: ContractClient;
  readonly client: KubeClient;
  readonly reader: ObjectReader;
  readonly writer: PodWriter;
  readonly updates: Pick<LiveUpdates, 'follow'>;
  readonly link: SiteLink;
  readonly owner: string;
  readonly nodeName: string;
  /** The variables of the cluster's services for a pod; undefined: containers get none. */
  readonly serviceEnv: ((pod: Pod) => Record<string, string>) | undefined;
  /** The node's allocatable resources, once they are known. */
  readonly allocatable: () => Readonly<Record<string, string>> | undefined;
  readonly now: () => number;
  /** When this vk-node began, ms since the epoch. */
  readonly startedAt: number;
}

const outages = new Set(['ApiUnavailable', 'SiteUnavailable', 'AccessDenied']);

/** A reason to try again later that the pod itself shows; the queue adds the back-off. */
export class StillWaiting extends Error {
  override readonly name = 'StillWaiting';
}

/** Brings a pod to its site: once, however often it is tried. */
export class Submitter {
  readonly #o: SubmitterOptions;

  constructor(options: SubmitterOptions) {
    this.#o = options;
  }

  /** @throws StillWaiting when the pod has to wait; the pod says why. */
  async submit(tracked: TrackedPod, pod: Pod, signal: AbortSignal): Promise<void> {
    if (ownedByDaemonSet(pod)) {
      const message = 'pods of a DaemonSet are not sent to a site: keep them away by node affinity (see the README)';
      await this.#wait(tracked, pod, 'NotOffloaded', message, signal, 'final');
      return;
    }
    await this.#siteMustBeUp(tracked, pod, signal);
    try {
      // A create that may have been sent before left the site with what it had then.
      const isFirst = !tracked.createSent && Date.parse(pod.metadata.creationTimestamp ?? '') >= this.#o.startedAt;
      const { request, sent } = await buildCreateRequest(pod, {
        client: this.#o.client,
        reader: this.#o.reader,
        nodeName: this.#o.nodeName,
        serviceEnv: this.#o.serviceEnv?.(pod),
        allocatable: this.#o.allocatable(),
        siteExpands: this.#o.link.capabilities?.features.expandEnv ?? false,
        notBefore: tracked.readAfter,
        signal,
      });
      const jobId = (await this.#adopt(tracked, pod, signal)) ?? (await this.#create(tracked, request, signal));
      tracked.jobId = jobId;
      tracked.submittedAt = this.#o.now();
      this.#o.updates.follow(pod, isFirst ? sent : undefined);
      this.#o.writer.event(pod, 'Submitted', `submitted as job ${jobId} at site ${this.#o.link.site ?? 'unknown'}`);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      await this.#failed(tracked, pod, thrown, signal);
    }
  }

  async #create(tracked: TrackedPod, request: CreateRequest, signal: AbortSignal): Promise<string> {
    tracked.createSent = true;
    return (await this.#o.api.create(request, { owner: this.#o.owner, signal })).PodJID;
  }

  /**
   * Ours takes a create that was sent before as the same one. A classic plugin would start a second job, so it is asked
   * first whenever an earlier create may have reached it: by us, or by the vk-node before us.
   */
  async #adopt(tracked: TrackedPod, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
    const { api, link, owner, startedAt } = this.#o;
    const mayBeThere = tracked.createSent || Date.parse(pod.metadata.creationTimestamp ?? '') < startedAt;
    if (!link.isClassic || !mayBeThere) return undefined;
    const [answer] = await api.status([pod], { owner, signal });
    if (answer === undefined || (answer.JID === '' && !saysAnything(answer))) return undefined;
    return answer.JID === '' ? pod.metadata.uid : answer.JID;
  }

  /** The one patch on acceptance; nothing when the pod has it already. */
  async accept(tracked: TrackedPod, signal: AbortSignal): Promise<void> {
    const { pod, jobId } = tracked;
    if (pod === undefined || jobId === undefined) return;
    // A job that an earlier life submitted stays where it is, even if this node has another site by now.
    const here = tracked.submittedAt !== undefined ? this.#o.link.site : undefined;
    const patch = acceptPatch(pod, jobId, here ?? pod.metadata.annotations?.[siteAnnotation]);
    if (patch) await this.#o.writer.patch(tracked, patch, signal);
  }

  async #failed(tracked: TrackedPod, pod: Pod, thrown: unknown, signal: AbortSignal): Promise<void> {
    if (thrown instanceof MissingReference) {
      return this.#wait(tracked, pod, 'CreateContainerConfigError', thrown.message, signal, 'again');
    }
    if (!(thrown instanceof InterlinkError)) throw thrown;
    if (isCode(thrown, 'Invalid', 'Gone', 'TooLarge', 'Malformed')) return this.#refuse(tracked, pod, thrown, signal);
    return this.#wait(tracked, pod, thrown.podReason, thrown.message, signal, 'again');
  }

  /** Without the link nothing is sent: the pod says what is away. */
  async #siteMustBeUp(tracked: TrackedPod, pod: Pod, signal: AbortSignal): Promise<void> {
    const { state } = this.#o.link;
    if (state.state === 'up') return;
    if (state.state === 'starting') throw new StillWaiting('the site has not answered yet');
    const reason = linkReasons[state.state];
    await this.#wait(tracked, pod, reason, state.message, signal, 'again');
  }

  /**
   * A pod that may be replaced (restartPolicy Always: a ReplicaSet's) stays Pending: a Failed one would be replaced at
   * once, for ever.
   */
  async #refuse(tracked: TrackedPod, pod: Pod, error: InterlinkError, signal: AbortSignal): Promise<void> {
    tracked.refused = true;
    const { podReason: reason, message } = error;
    this.#o.writer.event(pod, 'Refused', message);
    const replaced = (pod.spec.restartPolicy ?? 'Always') === 'Always';
    if (replaced) await this.#o.writer.status(tracked, waitingStatus(pod, reason, message), signal);
    else await this.#o.writer.reject(tracked, failedStatus(pod, reason, message), signal);
  }

  async #wait(
    tracked: TrackedPod,
    pod: Pod,
    reason: string,
    message: string,
    signal: AbortSignal,
    then: 'again' | 'final',
  ): Promise<void> {
    const shown = shownWaiting(tracked);
    // An outage words itself differently from one try to the next: no news, and every waiting pod would be written.
    const known = shown?.reason === reason && (shown.message === message || outages.has(reason));
    if (!known) {
      this.#o.writer.event(pod, 'Waiting', `${reason}: ${message}`);
      await this.#o.writer.status(tracked, waitingStatus(pod, reason, message), signal);
    }
    tracked.readAfter = this.#o.now();
    if (then === 'again') throw new StillWaiting(`${reason}: ${message}`);
    tracked.refused = true;
  }
}

const linkReasons = {
  apiUnavailable: 'ApiUnavailable',
  siteUnavailable: 'SiteUnavailable',
  accessDenied: 'AccessDenied',
} as const;

function shownWaiting({ pod }: TrackedPod) {
  return pod?.status?.containerStatuses?.[0]?.state?.waiting;
}

function ownedByDaemonSet(pod: Pod): boolean {
  const owners = pod.metadata['ownerReferences'];
  return (
    Array.isArray(owners) &&
    owners.some(
      (owner: unknown) => typeof owner === 'object' && owner !== null && 'kind' in owner && owner.kind === 'DaemonSet',
    )
  );
}
