import type { Pod } from '@interlink/contract';
import { isNativeSidecar } from '@interlink/pod-model';
import { restartDue } from './backoff.ts';
import type { ContainerFact, PodFacts } from './facts.ts';

/** What the kubelet says of a pod that ran into its activeDeadlineSeconds. */
export const deadlineExceeded = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const;

/** ms since the epoch; undefined: the pod may run for ever. */
export function activeDeadline(pod: Pod, startTime: string): number | undefined {
  const seconds = pod.spec['activeDeadlineSeconds'];
  return typeof seconds === 'number' ? Date.parse(startTime) + seconds * 1000 : undefined;
}

/**
 * Whether the pod was still at work when its deadline passed. This is known from the engine's times alone, so that a
 * sidecar that was away says the same.
 */
export function isPastDeadline(pod: Pod, startTime: string, facts: PodFacts, now: number): boolean {
  const deadline = activeDeadline(pod, startTime);
  return deadline !== undefined && now >= deadline && !endedBefore(pod, facts, deadline);
}

function endedBefore(pod: Pod, facts: PodFacts, deadline: number): boolean {
  const before = (fact: ContainerFact) => Date.parse(fact.finishedAt ?? fact.createdAt) < deadline;
  const mains = pod.spec.containers.map((container) => ({
    container,
    latest: facts.attempts('main', container.name).latest,
  }));
  const isOver = mains.every(
    ({ container, latest }) =>
      latest?.state === 'exited' && before(latest) && restartDue(pod, container, latest) === undefined,
  );
  return isOver || initFailedBefore(pod, facts, before);
}

function initFailedBefore(pod: Pod, facts: PodFacts, before: (fact: ContainerFact) => boolean): boolean {
  return (pod.spec.initContainers ?? []).some((container) => {
    const { latest } = facts.attempts('init', container.name);
    if (isNativeSidecar(container) || latest?.state !== 'exited' || latest.exitCode === 0) return false;
    return before(latest) && restartDue(pod, container, latest) === undefined;
  });
}
