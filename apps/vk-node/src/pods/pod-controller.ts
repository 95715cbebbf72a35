import { InterlinkError, type Pod, type PodStatus } from '@interlink/contract';
import { Reflector, WorkQueue, type KubeClient } from '@interlink/kube';
import { isTerminalPhase } from '@interlink/pod-model';
import type { Logger } from '@interlink/service-kit';
import type { SiteLink } from '../site/site-link.ts';
import { jobIdAnnotation } from './accept.ts';
import { leanPodSchema } from './lean-pod.ts';
import type { LostJobs } from './lost-jobs.ts';
import type { PodWriter } from './pod-writer.ts';
import { isStarting, showsStarting } from './starting-status.ts';
import { StillWaiting, type Submitter } from './submitter.ts';
import type { Terminator } from './terminator.ts';
import type { LiveUpdates } from '../updates/live-updates.ts';
import { isNewer, refOf, trackPod, type TrackedPod } from './tracked-pod.ts';

export interface PodControllerOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly link: SiteLink;
  readonly submitter: Submitter;
  readonly terminator: Terminator;
  readonly writer: PodWriter;
  readonly lostJobs: LostJobs;
  readonly updates: Pick<LiveUpdates, 'follow' | 'forget' | 'siteBack'>;
  readonly log: Logger;
  readonly now: () => number;
}

const concurrency = 48;
/** Few: in a burst what a pod does is written before where it runs. */
const acceptConcurrency = 4;
const maxDone = 20_000;
/** "Not started yet" is worth a write only when it lasts. */
const startingMs = 2_000;
/** A job may be told of before its pod is: the informer and the site are two streams. */
const orphanDelayMs = 3_000;

/** Keeps each pod of this node and its job at the site in step. Everything is looked at afresh each time: no order of
 * events is relied on. */
export class PodController {
  readonly #o: PodControllerOptions;
  readonly #tracked = new Map<string, TrackedPod>();
  readonly #reflector: Reflector<Pod & { metadata: { resourceVersion: string } }>;
  readonly #queue: WorkQueue;
  readonly #accepts: WorkQueue;
  /** UIDs that are done with, oldest first: their sites may still have a last word. */
  readonly #done = new Set<string>();

  constructor(options: PodControllerOptions) {
    this.#o = options;
    const common = {
      onError: (uid: string, error: unknown, attempt: number) => this.#failed(uid, error, attempt),
      baseDelayMs: 250,
      maxDelayMs: 10_000,
    };
    this.#queue = new WorkQueue({ ...common, concurrency, handler: (uid, signal) => this.#reconcile(uid, signal) });
    this.#accepts = new WorkQueue({
      ...common,
      concurrency: acceptConcurrency,
      handler: (uid, signal) => this.#accept(uid, signal),
    });
    this.#reflector = new Reflector({
      client: options.client,
      path: '/api/v1/pods',
      fieldSelector: `spec.nodeName=${options.nodeName}`,
      schema: leanPodSchema.refine(
        (pod): pod is Pod & { metadata: { resourceVersion: string } } =>
          typeof pod.metadata.resourceVersion === 'string',
      ),
      handlers: {
        added: (pod) => this.#seen(pod),
        modified: (pod) => this.#seen(pod),
        deleted: (pod) => this.#gone(pod),
        synced: () => this.#lookForOrphans(),
      },
      onError: (err) => options.log.warn({ err }, 'the pods cannot be watched'),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#reflector.run(signal), this.#queue.run(signal), this.#accepts.run(signal)]);
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.#reflector.store.get(namespace, name);
  }

  /** All pods that are bound to this node. */
  all(): Pod[] {
    return [...this.#reflector.store.values()];
  }

  /** The site says something new of a pod. */
  statusChanged(uid: string, status: PodStatus): void {
    if (this.#tracked.has(uid)) this.#queue.add(uid);
    else this.#stranger(status);
  }

  /** A classic site, when asked, said nothing of a submitted pod. */
  statusMissing(uid: string): void {
    if (this.#tracked.has(uid)) this.#queue.add(uid);
  }

  /** Pods that the site has and that have not ended. */
  submitted(): Pod[] {
    return [...this.#tracked.values()].flatMap(({ pod, jobId }) =>
      pod !== undefined && jobId !== undefined && !isTerminalPhase(pod.status?.phase) ? [pod] : [],
    );
  }

  /** What waited for the site may go on. */
  siteBack(): void {
    this.#queue.hurry();
    this.#o.updates.siteBack();
  }

  /** After a snapshot: pods whose job is missing, and jobs whose pod is missing. */
  snapshot(): void {
    for (const [uid, { jobId }] of this.#tracked) {
      if (jobId !== undefined && this.#o.link.status(uid) === undefined) this.#queue.add(uid);
    }
    this.#lookForOrphans();
  }

  #seen(pod: Pod): void {
    const { uid } = pod.metadata;
    const known = this.#tracked.get(uid);
    if (known === undefined) {
      this.#tracked.set(uid, trackPod(pod, this.#o.now(), pod.metadata.annotations?.[jobIdAnnotation]));
    } else if (known.pod === undefined || isNewer(pod, known.pod)) {
      known.pod = pod;
      known.lastPod = pod;
    }
    this.#queue.add(uid);
  }

  #gone(pod: Pod): void {
    const tracked = this.#tracked.get(pod.metadata.uid);
    if (tracked === undefined) return;
    tracked.pod = undefined;
    this.#queue.add(pod.metadata.uid);
  }

  #lookForOrphans(): void {
    if (!this.#reflector.hasSynced || !this.#o.link.isWhole) return;
    for (const uid of this.#o.link.uids()) {
      const status = this.#tracked.has(uid) ? undefined : this.#o.link.status(uid);
      if (status) this.#stranger(status);
    }
  }

  #stranger({ UID: uid, name, namespace }: PodStatus): void {
    if (this.#done.has(uid)) {
      this.#o.link.forget(uid);
      return;
    }
    const ref = refOf({ metadata: { uid, name, namespace } });
    this.#tracked.set(uid, { ...trackedOrphan, ref, seenAt: this.#o.now() });
    this.#queue.addAfter(uid, orphanDelayMs);
  }

  async #reconcile(uid: string, signal: AbortSignal): Promise<void> {
    const tracked = this.#tracked.get(uid);
    if (tracked === undefined) return;
    const { pod } = tracked;
    const isOver = pod === undefined || pod.metadata.deletionTimestamp || isTerminalPhase(pod.status?.phase);
    if (isOver) this.#o.updates.forget(uid);
    if (pod === undefined) return this.#withoutPod(tracked, signal);
    if (pod.metadata.deletionTimestamp) {
      // What remains is removed when the informer says that the pod is gone.
      await this.#o.terminator.terminate(tracked, pod, signal);
      return;
    }
    if (tracked.refused || isOver) return;
    if (tracked.jobId === undefined) await this.#o.submitter.submit(tracked, pod, signal);
    else this.#o.updates.follow(pod);
    this.#accepts.add(uid);
    await this.#writeStatus(tracked, signal);
  }

  async #accept(uid: string, signal: AbortSignal): Promise<void> {
    const tracked = this.#tracked.get(uid);
    if (tracked?.pod === undefined || tracked.pod.metadata.deletionTimestamp) return;
    await this.#o.submitter.accept(tracked, signal);
  }

  async #writeStatus(tracked: TrackedPod, signal: AbortSignal): Promise<void> {
    const { uid } = tracked.ref.metadata;
    const status = this.#o.link.status(uid);
    if (status === undefined) {
      const lookAgainMs = await this.#o.lostJobs.look(tracked, signal);
      if (lookAgainMs !== undefined) this.#queue.addAfter(uid, lookAgainMs);
      return;
    }
    tracked.unknownSince = undefined;
    const starting = isStarting(status);
    if (starting && tracked.pod !== undefined && showsStarting(tracked.pod)) return;
    const waitMs = starting ? (tracked.submittedAt ?? tracked.seenAt) + startingMs - this.#o.now() : 0;
    if (waitMs > 0) this.#queue.addAfter(uid, waitMs);
    else await this.#o.writer.status(tracked, status, signal);
  }

  /** A pod that left the cluster without us (forced), or a job that we know no pod of. */
  async #withoutPod(tracked: TrackedPod, signal: AbortSignal): Promise<void> {
    const { uid } = tracked.ref.metadata;
    if (tracked.deletedWithin === undefined) {
      // Neither a cache nor a half-read list may cost a job: only the API server's own word counts.
      if (!this.#reflector.hasSynced) {
        this.#queue.addAfter(uid, orphanDelayMs);
        return;
      }
      if (await this.#o.writer.exists(tracked.ref, signal)) {
        this.#tracked.delete(uid);
        const pod = this.#reflector.store.get(tracked.ref.metadata.namespace, tracked.ref.metadata.name);
        if (pod?.metadata.uid === uid) this.#seen(pod);
        return;
      }
      await this.#o.terminator.cancelOrphan(tracked, signal);
      this.#o.log.info({ uid, pod: tracked.ref.metadata.name }, 'a job without a pod was cancelled');
    }
    // Kept until the site has buried the job, so that its last statuses are not taken for a new orphan's.
    if (this.#o.link.status(uid) !== undefined && !isTerminalPhase(this.#o.link.status(uid)?.phase)) return;
    this.#tracked.delete(uid);
    this.#o.link.forget(uid);
    this.#done.add(uid);
    if (this.#done.size > maxDone) for (const oldest of this.#done.values().take(1)) this.#done.delete(oldest);
  }

  #failed(uid: string, error: unknown, attempt: number): void {
    const name = this.#tracked.get(uid)?.ref.metadata.name;
    if (error instanceof StillWaiting) this.#o.log.debug({ uid, pod: name, attempt }, error.message);
    else if (error instanceof InterlinkError && error.retryable)
      this.#o.log.info({ err: error, uid, pod: name, attempt }, 'trying again');
    else this.#o.log.warn({ err: error, uid, pod: name, attempt }, 'a pod could not be brought in step; trying again');
  }
}

const trackedOrphan = {
  readAfter: 0,
  pod: undefined,
  lastPod: undefined,
  createSent: false,
  jobId: undefined,
  submittedAt: undefined,
  deletedWithin: undefined,
  removed: false,
  unknownSince: undefined,
  refused: false,
};
