import type { ContainerState, PodStatus } from '@interlink/contract';

export function stateOf(status: PodStatus, container = 'main'): ContainerState | undefined {
  const all = [...(status.containers ?? []), ...(status.initContainers ?? [])];
  return all.find(({ name }) => name === container)?.state ?? undefined;
}

export function isRunning(status: PodStatus): boolean {
  return Boolean(stateOf(status)?.running);
}

export function hasEnded(status: PodStatus): boolean {
  return Boolean(stateOf(status)?.terminated);
}

export function exitCodeOf(status: PodStatus, container = 'main'): number | undefined {
  return stateOf(status, container)?.terminated?.exitCode;
}
