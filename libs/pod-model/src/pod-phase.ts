import type { ContainerStatus, Pod, PodPhase } from '@interlink/contract';
import { hasBeenInitialized, isNativeSidecar } from './container-roles.ts';

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
  const policy = restarts ? (spec.restartPolicy ?? 'Always') : 'Never';
  const init = countInit(spec, statuses.initContainerStatuses, initialized);
  const main = countMain(spec, statuses.containerStatuses);
  const running = init.running + main.running;
  const unknown = init.unknown + main.unknown;

  if (init.failed && policy === 'Never') return 'Failed';
  if (init.pending || init.waiting + main.waiting > 0) return 'Pending';
  if (unknown > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (main.stopped === 0) return 'Pending';
  if (policy === 'Always') return 'Running';
  if (main.stopped === main.succeeded) return 'Succeeded';
  // OnFailure: something failed and is about to run again.
  return policy === 'Never' ? 'Failed' : 'Running';
}

function countInit(spec: PodSpec, statuses: readonly ContainerStatus[], initialized: boolean) {
  const count = { pending: false, failed: false, running: 0, waiting: 0, unknown: 0 };
  const byName = new Map(statuses.map((status) => [status.name, status]));
  for (const container of spec.initContainers ?? []) {
    const status = byName.get(container.name);
    const { running, terminated, waiting } = status?.state ?? {};
    const last = status?.lastState?.terminated;
    if (!isNativeSidecar(container)) {
      const ended = terminated ?? (waiting ? last : undefined);
      if (ended && ended.exitCode !== 0) count.failed = true;
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

function countMain(spec: PodSpec, statuses: readonly ContainerStatus[]) {
  const count = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  const byName = new Map(statuses.map((status) => [status.name, status]));
  for (const { name } of spec.containers) {
    const status = byName.get(name);
    const { running, terminated, waiting } = status?.state ?? {};
    if (running) count.running += 1;
    else if (terminated) {
      count.stopped += 1;
      if (terminated.exitCode === 0) count.succeeded += 1;
    } else if (!waiting) count.unknown += 1;
    else if (status?.lastState?.terminated) count.stopped += 1;
    else count.waiting += 1;
  }
  return count;
}
