import type { ContractClient, Pod, PodRef, PodStatus } from '@interlink/contract';
import { isTerminalPhase } from '@interlink/pod-model';
import { saysAnything } from '../site/classic-poll.ts';
import type { SiteLink } from '../site/site-link.ts';
import { lostStatus } from './local-status.ts';
import type { PodWriter } from './pod-writer.ts';
import type { TrackedPod } from './tracked-pod.ts';

export interface TerminatorOptions {
  readonly api: ContractClient;
  readonly writer: PodWriter;
  readonly link: SiteLink;
  readonly owner: string;
}

const defaultGraceSeconds = 30;

/** Ends pods: at the site first, in the cluster when the site has said how it ended. */
export class Terminator {
  readonly #o: TerminatorOptions;

  constructor(options: TerminatorOptions) {
    this.#o = options;
  }

  /** For a pod with a deletionTimestamp. @returns whether it is gone from the cluster. */
  async terminate(tracked: TrackedPod, pod: Pod, signal: AbortSignal): Promise<boolean> {
    // The informer still tells of our own last writes.
    if (tracked.removed) return true;
    await this.#deleteAtSite(tracked, pod.metadata.deletionGracePeriodSeconds ?? defaultGraceSeconds, signal);
    const last = await this.#lastStatus(tracked, pod, signal);
    if (last === undefined) return false;
    // The phase is terminal before the pod goes: a Job's controller counts what it sees.
    if (!isTerminalPhase(pod.status?.phase)) await this.#o.writer.status(tracked, last, signal);
    await this.#o.writer.remove(pod, signal);
    tracked.removed = true;
    return true;
  }

  /** For a job whose pod the cluster does not have (any more). */
  async cancelOrphan(tracked: TrackedPod, signal: AbortSignal): Promise<void> {
    await this.#deleteAtSite(tracked, 0, signal);
  }

  async #deleteAtSite(tracked: TrackedPod, graceSeconds: number, signal: AbortSignal): Promise<void> {
    if (tracked.deletedWithin !== undefined && tracked.deletedWithin <= graceSeconds) return;
    const ref = this.#asTheSiteWantsIt(tracked);
    const metadata = { ...ref.metadata, deletionGracePeriodSeconds: graceSeconds };
    await this.#o.api.delete({ ...ref, metadata }, { owner: this.#o.owner, signal });
    tracked.deletedWithin = graceSeconds;
  }

  /** How the pod ended; undefined while it has not. */
  async #lastStatus(tracked: TrackedPod, pod: Pod, signal: AbortSignal): Promise<PodStatus | undefined> {
    const { link } = this.#o;
    const known = link.status(pod.metadata.uid);
    if (known !== undefined) return isTerminalPhase(known.phase) ? known : undefined;
    const lost = () =>
      lostStatus(pod, 'Deleted', 'the pod was deleted; its site has no record of how it ended', new Date());
    if (isTerminalPhase(pod.status?.phase)) return lost();
    // Not in the snapshot: never submitted, or over and buried, which the tombstone can still tell.
    const [answer] = await this.#o.api.status([this.#asTheSiteWantsIt(tracked)], { owner: this.#o.owner, signal });
    if (answer === undefined || (answer.phase === undefined && !saysAnything(answer))) return lost();
    return isTerminalPhase(answer.phase) ? answer : undefined;
  }

  #asTheSiteWantsIt({ ref, lastPod }: TrackedPod): PodRef {
    return this.#o.link.isClassic ? (lastPod ?? ref) : ref;
  }
}
