import type { Container, ContainerState, ContainerStatus, Pod } from '@interlink/contract';
import { isNativeSidecar, mayRunAgain } from '@interlink/pod-model';
import { formatDelay, isImageChanged, restartDue } from './backoff.ts';
import type { ContainerFact, PodFacts } from './facts.ts';
import type { Role } from './labels.ts';
import { reportedResources } from './spec/resize.ts';
import type { StatusContext } from './pod-status.ts';

export interface ContainerView extends StatusContext {
  readonly pod: Pod;
  /** Whatever ends now stays so. */
  readonly isEnding: boolean;
  /** The waiting reason of what has not been started: the kubelet's is one for all containers of a pod. */
  readonly notStarted: string;
}

/** Pure: one container's status. */
export function containerStatus(
  role: Role,
  container: Container,
  facts: PodFacts,
  view: ContainerView,
): ContainerStatus {
  const { latest, previous } = facts.attempts(role, container.name);
  const base = {
    name: container.name,
    image: container.image ?? '',
    imageID: latest?.imageId ?? '',
    restartCount: latest?.attempt ?? 0,
    ...(latest ? { containerID: `docker://${latest.id}` } : {}),
    ...(previous ? { lastState: terminated(previous, view) } : {}),
    ...reportedResources(view.pod, container, latest),
  };
  const idle = { ready: false, started: false };
  const wait = view.waits.get(container.name);
  if (latest?.state === 'running') return { ...base, ...running(role, container, latest, view) };
  if (wait !== undefined && !view.isEnding) {
    const waiting = { waiting: { reason: wait.reason, message: wait.message } };
    const last = latest?.state === 'exited' ? { lastState: terminated(latest, view) } : {};
    return { ...base, ...idle, state: waiting, ...last };
  }
  if (latest === undefined || latest.state === 'created')
    return { ...base, ...idle, state: { waiting: { reason: view.notStarted } } };
  const ended = terminated(latest, view);
  const stays = view.isEnding || restartDue(view.pod, container, latest) === undefined;
  if (stays) return { ...base, state: ended, ready: isDone(role, container, latest), started: false };
  // About to run again with another image, though its policy forbids it: the kube-apiserver would take no end back.
  if (isImageChanged(container, latest) && !mayRunAgain(view.pod.spec, container, latest.exitCode))
    return { ...base, ...idle, state: { running: { startedAt: latest.startedAt ?? latest.createdAt } } };
  if (latest.nextDelaySeconds > 0) {
    const { name, namespace, uid } = view.pod.metadata;
    const whose = `container=${container.name} pod=${name}_${namespace}(${uid})`;
    const message = `back-off ${formatDelay(latest.nextDelaySeconds)} restarting failed ${whose}`;
    return { ...base, ...idle, state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: ended };
  }
  const failure = failedStart(container, latest, view);
  if (failure) return { ...base, ...idle, state: { waiting: failure }, lastState: ended };
  return { ...base, ...idle, state: ended };
}

function running(
  role: Role,
  container: Container,
  fact: ContainerFact,
  view: ContainerView,
): Pick<ContainerStatus, 'state' | 'ready' | 'started'> {
  const { hooked, started, ready } = view.health(fact, container);
  // The kubelet shows nothing of a container before its postStart hook is over.
  if (!hooked && !view.isEnding)
    return { state: { waiting: { reason: view.notStarted } }, ready: false, started: false };
  const isServing = role === 'main' || (role === 'init' && isNativeSidecar(container));
  return {
    state: { running: { startedAt: fact.startedAt ?? fact.createdAt } },
    ready: isServing && hooked && started && ready,
    started: hooked && started,
  };
}

function isDone(role: Role, container: Container, { exitCode }: ContainerFact): boolean {
  return role === 'init' && !isNativeSidecar(container) && exitCode === 0;
}

/** What the kubelet says between a start that failed and the next one. */
function failedStart(
  container: Container,
  fact: ContainerFact,
  view: ContainerView,
): { reason: string; message: string } | undefined {
  const { failed, message } = view.health(fact, container);
  if (failed === 'postStart') return { reason: 'PostStartHookError', message };
  if (isFailedStart(fact)) return { reason: 'RunContainerError', message: fact.error };
  return undefined;
}

function isFailedStart(fact: ContainerFact): boolean {
  return fact.startedAt === undefined && fact.error !== '';
}

function terminated(fact: ContainerFact, { messages }: StatusContext): ContainerState {
  const reason = isFailedStart(fact)
    ? 'ContainerCannotRun'
    : fact.oomKilled
      ? 'OOMKilled'
      : fact.exitCode === 0
        ? 'Completed'
        : 'Error';
  const message = isFailedStart(fact) ? fact.error : messages.get(fact.id);
  return {
    terminated: {
      exitCode: fact.exitCode,
      reason,
      ...(message ? { message } : {}),
      startedAt: fact.startedAt ?? fact.createdAt,
      finishedAt: fact.finishedAt ?? fact.createdAt,
      containerID: `docker://${fact.id}`,
    },
  };
}
