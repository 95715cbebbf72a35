import {
  containerSchema,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type Pod,
} from '@interlink/contract';
import { isNativeSidecar, mayRunAgain } from './container-roles.ts';
import { normalizeTime } from './status-time.ts';

/** The kubelet's own bound on a termination message, in UTF-16 units here. */
const maxMessage = 4096;

export interface MergeOptions {
  /** What the site reported; containers it does not mention keep their previous status. */
  reported: readonly ContainerStatus[];
  previous: readonly ContainerStatus[];
  /** For a container that was never mentioned: what it waits for. */
  waitingReason: string;
  /** The pod's phase was terminal already: only the end of a container is news. */
  ended: boolean;
  /** A classic plugin: its `ready` says nothing, a running container counts as ready. */
  classic: boolean;
}

/** One status for each of the containers, in spec order, such that the kube-apiserver accepts the transition. */
export function mergeContainerStatuses(
  spec: Pod['spec'],
  containers: readonly Container[],
  { reported, previous, waitingReason, ended, classic }: MergeOptions,
): ContainerStatus[] {
  const isInit = containers === spec.initContainers;
  return containers.map((container) => {
    const before = previous.find(({ name }) => name === container.name);
    const found = reported.find(({ name }) => name === container.name);
    if (found === undefined) return before ?? waitingStatus(container, waitingReason);
    const next = normalize(container, found, waitingReason);
    const exit = before?.state?.terminated;
    const final = exit ? !mayRunAgain(spec, container, exit.exitCode) : false;
    if (before && !next.state?.terminated && (final || ended)) return before;
    const { running, terminated } = next.state ?? {};
    const oneShot = isInit && !isNativeSidecar(container);
    const ready = oneShot ? terminated?.exitCode === 0 : Boolean(running) && (classic || next.ready);
    return { ...next, ready, started: running ? (next.started ?? true) : false };
  });
}

/** In a terminal phase nothing runs: what was not seen to end is marked as the kubelet does. */
export function endRunning(statuses: readonly ContainerStatus[]): ContainerStatus[] {
  return statuses.map((status) => {
    if (!status.state?.running) return status;
    const terminated = {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
      startedAt: status.state.running.startedAt ?? null,
      finishedAt: null,
    };
    return { ...status, state: { terminated }, ready: false, started: false };
  });
}

function waitingStatus({ name, image }: Container, reason: string): ContainerStatus {
  const state = { waiting: { reason } };
  return { name, state, lastState: {}, ready: false, restartCount: 0, image: image ?? '', imageID: '', started: false };
}

/** Only what the Kubernetes type knows, in the form in which the kube-apiserver gives it back. */
function normalize(container: Container, status: ContainerStatus, waitingReason: string): ContainerStatus {
  return {
    name: container.name,
    state: normalizeState(status.state, { waiting: { reason: waitingReason } }),
    lastState: normalizeState(status.lastState, {}),
    ready: status.ready,
    restartCount: Math.max(0, Math.trunc(status.restartCount)),
    image: status.image || (container.image ?? ''),
    imageID: status.imageID,
    ...(status.containerID ? { containerID: status.containerID } : {}),
    ...(status.started === undefined || status.started === null ? {} : { started: status.started }),
    ...reportedResources(status),
  };
}

/** The kube-apiserver takes a resize only of containers that say what they run with. */
function reportedResources(status: ContainerStatus): object {
  const { data: resources } = containerSchema.shape.resources.safeParse(status['resources']);
  const { data: allocated } = containerSchema.shape.resources.safeParse({ requests: status['allocatedResources'] });
  return {
    ...(resources ? { resources } : {}),
    ...(allocated?.requests ? { allocatedResources: allocated.requests } : {}),
  };
}

function normalizeState(state: ContainerState | null | undefined, otherwise: ContainerState): ContainerState {
  if (state?.terminated) {
    const { exitCode, signal, reason, message, startedAt, finishedAt, containerID } = state.terminated;
    return {
      terminated: {
        exitCode: Math.trunc(exitCode),
        ...(signal ? { signal } : {}),
        reason: reason || (exitCode === 0 ? 'Completed' : 'Error'),
        ...(message ? { message: message.slice(0, maxMessage) } : {}),
        startedAt: normalizeTime(startedAt),
        finishedAt: normalizeTime(finishedAt),
        ...(containerID ? { containerID } : {}),
      },
    };
  }
  if (state?.running) return { running: { startedAt: normalizeTime(state.running.startedAt) } };
  if (state?.waiting) {
    const { reason, message } = state.waiting;
    return {
      waiting: { ...(reason ? { reason } : {}), ...(message ? { message: message.slice(0, maxMessage) } : {}) },
    };
  }
  return otherwise;
}
