import type { ContainerStatus, Pod, PodCondition, PodPhase } from '@interlink/contract';
import { hasBeenInitialized, hasStarted, isNativeSidecar } from './container-roles.ts';
import { isTerminalPhase, type ContainerStatuses } from './pod-phase.ts';
import { formatTime } from './status-time.ts';

interface Verdict {
  status: 'True' | 'False';
  reason?: string;
  message?: string;
}

const isTrue: Verdict = { status: 'True' };

/**
 * The pod's conditions as a kubelet computes them, in its order; those of other writers follow, untouched. A condition
 * keeps its lastTransitionTime as long as its status does.
 */
export function podConditions(
  pod: Pod,
  status: ContainerStatuses & { phase: PodPhase },
  previous: readonly PodCondition[],
  now: Date,
): PodCondition[] {
  const containersReady = containersReadyVerdict(pod, status);
  const verdicts: Record<string, Verdict> = {
    PodReadyToStartContainers: { status: hasSandbox(status) ? 'True' : 'False' },
    Initialized: initializedVerdict(pod, status),
    Ready: readyVerdict(pod, containersReady, previous),
    ContainersReady: containersReady,
    PodScheduled: isTrue,
  };
  const own = Object.entries(verdicts).map(([type, { status: value, reason, message }]) => {
    const before = previous.find((condition) => condition.type === type);
    const since = before?.status === value ? before.lastTransitionTime : undefined;
    return {
      type,
      status: value,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      lastProbeTime: null,
      lastTransitionTime: since ?? formatTime(now),
    };
  });
  return [...own, ...previous.filter(({ type }) => !Object.hasOwn(verdicts, type))];
}

function hasSandbox({
  phase,
  containerStatuses,
  initContainerStatuses,
}: ContainerStatuses & { phase: PodPhase }): boolean {
  return !isTerminalPhase(phase) && [...containerStatuses, ...initContainerStatuses].some(hasStarted);
}

function initializedVerdict(pod: Pod, status: ContainerStatuses & { phase: PodPhase }): Verdict {
  const byName = new Map(status.initContainerStatuses.map((one) => [one.name, one]));
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    const found = byName.get(container.name);
    if (found === undefined) unknown.push(container.name);
    else if (isNativeSidecar(container) ? !found.started : !isDone(found)) incomplete.push(container.name);
  }
  if (status.phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (hasBeenInitialized(pod.spec, status.containerStatuses)) return isTrue;
  return falseIfAny('ContainersNotInitialized', { unknown, incomplete });
}

function containersReadyVerdict(pod: Pod, status: ContainerStatuses & { phase: PodPhase }): Verdict {
  const byName = new Map([...status.initContainerStatuses, ...status.containerStatuses].map((one) => [one.name, one]));
  const unknown: string[] = [];
  const unready: string[] = [];
  for (const { name } of [...(pod.spec.initContainers ?? []).filter(isNativeSidecar), ...pod.spec.containers]) {
    const found = byName.get(name);
    if (found === undefined) unknown.push(name);
    else if (!found.ready) unready.push(name);
  }
  if (status.phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' };
  if (status.phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  return falseIfAny('ContainersNotReady', { unknown, unready });
}

function readyVerdict(pod: Pod, containersReady: Verdict, previous: readonly PodCondition[]): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const open = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = previous.find(({ type }) => type === conditionType);
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (gate.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`];
  });
  return open.length === 0 ? isTrue : { status: 'False', reason: 'ReadinessGatesNotReady', message: open.join(', ') };
}

function falseIfAny(reason: string, groups: Readonly<Record<string, readonly string[]>>): Verdict {
  const parts = Object.entries(groups)
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `containers with ${what} status: [${names.join(' ')}]`);
  return parts.length === 0 ? isTrue : { status: 'False', reason, message: parts.join(', ') };
}

function isDone({ ready, state }: ContainerStatus): boolean {
  return ready || state?.terminated?.exitCode === 0;
}
