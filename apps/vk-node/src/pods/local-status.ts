import type { ContainerStatus, Pod, PodStatus } from '@interlink/contract';

/** Statuses that vk-node itself gives to a pod, in the form of the site's, so that one place turns both into a Pod's. */
export function waitingStatus(pod: Pod, reason: string, message: string): PodStatus {
  return status(pod, 'Pending', { waiting: { reason, message } });
}

/** The pod can never run: Failed with the reason, as the kubelet rejects a pod. */
export function failedStatus(pod: Pod, reason: string, message: string): PodStatus {
  return { ...base(pod), phase: 'Failed', reason, message, containers: [], initContainers: [] };
}

/** The job is gone and nobody saw its end. */
export function lostStatus(pod: Pod, reason: string, message: string, now: Date): PodStatus {
  const finishedAt = now.toISOString();
  const terminated = { exitCode: 137, reason: 'ContainerStatusUnknown', message, finishedAt };
  const known = new Map(pod.status?.containerStatuses?.map((container) => [container.name, container]));
  const containers = pod.spec.containers.map((container): ContainerStatus => {
    const before = known.get(container.name);
    if (before?.state?.terminated) return before;
    const startedAt = before?.state?.running?.startedAt;
    return {
      ...named(container),
      ...before,
      ready: false,
      started: false,
      state: { terminated: { ...terminated, ...(startedAt ? { startedAt } : {}) } },
    };
  });
  return { ...base(pod), phase: 'Failed', reason, message, containers };
}

function status(pod: Pod, phase: 'Pending', state: ContainerStatus['state']): PodStatus {
  const containers = pod.spec.containers.map((container): ContainerStatus => ({ ...named(container), state }));
  return { ...base(pod), phase, containers };
}

function named(container: { name: string; image?: string | null | undefined }): ContainerStatus {
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    restartCount: 0,
    started: false,
  };
}

function base({ metadata }: Pod): PodStatus {
  return { name: metadata.name, namespace: metadata.namespace, UID: metadata.uid, JID: '' };
}
