import type { Pod, PodRef } from '@interlink/contract';

/** What vk-node remembers of one pod, by UID. All of it can be learnt again: from the Pod and from the site. */
export interface TrackedPod {
  /** As the informer or our own last write has it; undefined once the cluster has it no more. */
  pod: Pod | undefined;
  readonly ref: PodRef;
  /** The last that was seen of it, also when it is gone: a classic plugin wants whole pods. */
  lastPod: Pod | undefined;
  /** When we saw it first, ms since the epoch. */
  readonly seenAt: number;
  /** What the pod names in the cluster must have been read after this, ms since the epoch: moves on with each wait. */
  readAfter: number;
  /** The site's job, once a create was answered. */
  jobId: string | undefined;
  /** When the site took a create in this life of vk-node, ms since the epoch (the annotation tells of earlier ones). */
  submittedAt: number | undefined;
  /** A create was sent in this life, whatever became of it. */
  createSent: boolean;
  /** The shortest grace period that the site has accepted a delete with, in seconds. */
  deletedWithin: number | undefined;
  /** The API server has accepted our last delete: it goes as soon as its finalizers allow. */
  removed: boolean;
  /** Since when the site has not known the job, ms since the epoch. */
  unknownSince: number | undefined;
  /** A refusal is final: the spec cannot change. */
  refused: boolean;
}

export function trackPod(pod: Pod, now: number, jobId: string | undefined): TrackedPod {
  return {
    pod,
    ref: refOf(pod),
    lastPod: pod,
    seenAt: now,
    readAfter: now,
    jobId,
    submittedAt: undefined,
    createSent: false,
    deletedWithin: undefined,
    removed: false,
    unknownSince: undefined,
    refused: false,
  };
}

export function refOf({ metadata: { name, namespace, uid } }: PodRef): PodRef {
  return { metadata: { name, namespace, uid } };
}

/** Resource versions are ordered: a watch event may arrive after the answer to a newer write of ours. */
export function isNewer(candidate: Pod, known: Pod): boolean {
  return Number(candidate.metadata.resourceVersion ?? 0) >= Number(known.metadata.resourceVersion ?? 0);
}
