import type { Container, ContainerStatus, Pod, PodPhase } from '@interlink/contract';
import { hasBeenInitialized, isNativeSidecar, mayRunAgain } from './container-roles.ts';

type PodSpec = Pod['spec'];

export interface ContainerStatuses {
  containerStatuses: readonly ContainerStatus[];
  initContainerStatuses: readonly ContainerStatus[];
}

export function isTerminalPhase(phase: string | null | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/**
 * The phase that the kubelet computes from these statuses. `restarts: false` says that whatever has ended stays so, be
 * the restartPolicy what it may: the pod is being stopped, or the site restarts nothing.
 */
export function phaseOf(spec: PodSpec, statuses: ContainerStatuses, { restarts = true } = {}): PodPhase {
  const initialized = hasBeenInitialized(spec, statuses.containerStatuses);
  const again = (container: Container, exitCode: number) => restarts && mayRunAgain(spec, container, exitCode);
  const init = countInit(spec, statuses.initContainerStatuses, initialized, again);
  const main = countMain(spec, statuses.containerStatuses, again);
  const running = init.running + main.running;
  const unknown = init.unknown + main.unknown;

  if (init.failed) return 'Failed';
  if (init.pending || init.waiting + main.waiting > 0) return 'Pending';
  if (unknown > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (main.stopped === 0) return 'Pending';
  if (main.restarting > 0) return 'Running';
  return main.stopped === main.succeeded ? 'Succeeded' : 'Failed';
}

type RunsAgain = (container: Container, exitCode: number) => boolean;

function countInit(spec: PodSpec, statuses: readonly ContainerStatus[], initialized: boolean, again: RunsAgain) {
  const count = { pending: false, failed: false, running: 0, waiting: 0, unknown: 0 };
  const byName = new Map(statuses.map((status) => [status.name, status]));
  for (const container of spec.initContainers ?? []) {
    const status = byName.get(container.name);
    const { running, terminated, waiting } = status?.state ?? {};
    const last = status?.lastState?.terminated;
    if (!isNativeSidecar(container)) {
      const ended = terminated ?? (waiting ? last : undefined);
      if (ended && ended.exitCode !== 0) count.failed ||= !again(container, ended.exitCode);
      // One that the site never mentioned must have ended before an app container could start.
      else if (!ended && !(status === undefined && initialized)) count.pending = true;
    } else if (running) {
      count.running += 1;
      if (!status?.started && !initialized) count.pending = true;
    } else if (!terminated && !(waiting && last)) {
      if (waiting) count.waiting += 1;
      else count.unknown += 1;
      if (!initialized) count.pending = true;
    }
  }
  return count;
}

function countMain(spec: PodSpec, statuses: readonly ContainerStatus[], again: RunsAgain) {
  const count = { running: 0, waiting: 0, stopped: 0, restarting: 0, succeeded: 0, unknown: 0 };
  const byName = new Map(statuses.map((status) => [status.name, status]));
  for (const container of spec.containers) {
    const status = byName.get(container.name);
    const { running, terminated, waiting } = status?.state ?? {};
    const ended = terminated ?? (waiting ? status?.lastState?.terminated : undefined);
    if (running) count.running += 1;
    else if (ended) {
      count.stopped += 1;
      if (again(container, ended.exitCode)) count.restarting += 1;
      if (terminated?.exitCode === 0) count.succeeded += 1;
    } else if (waiting) count.waiting += 1;
    else count.unknown += 1;
  }
  return count;
}
