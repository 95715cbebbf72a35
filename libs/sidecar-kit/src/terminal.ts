import type { ContainerStatus, PodStatus } from '@interlink/contract';

export function isTerminal(status: PodStatus | undefined): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/**
 * The last word on a job that is gone from the site: what had ended keeps its codes; a container whose end nobody saw
 * gets 137 and `ContainerStatusUnknown`, as the kubelet has it. Nothing seen at all is no success.
 */
export function lastWord(status: PodStatus, now: string): PodStatus {
  if (isTerminal(status)) return status;
  const ended = (containers: ContainerStatus[] | null | undefined) =>
    (containers ?? []).map((container) => (container.state?.terminated ? container : lost(container, now)));
  const containers = ended(status.containers);
  const failed = containers.length === 0 || containers.some((container) => container.state?.terminated?.exitCode !== 0);
  return {
    ...status,
    phase: failed ? 'Failed' : 'Succeeded',
    containers,
    initContainers: ended(status.initContainers),
  };
}

function lost(container: ContainerStatus, now: string): ContainerStatus {
  const message = 'the container was not there any more when the pod was deleted';
  const startedAt = container.state?.running?.startedAt;
  return {
    ...container,
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message,
        ...(startedAt ? { startedAt } : {}),
        finishedAt: now,
      },
    },
  };
}
