import type { Pod, PodStatus } from '@interlink/contract';

const startingReasons = ['ContainerCreating', 'PodInitializing'];

/** Nothing has happened yet that a user would look for. */
export function isStarting({
  phase,
  containers,
  initContainers,
}: Pick<PodStatus, 'phase' | 'containers' | 'initContainers'>): boolean {
  if (phase !== 'Pending') return false;
  return [...(containers ?? []), ...(initContainers ?? [])].every(({ state }) =>
    startingReasons.includes(state?.waiting?.reason ?? ''),
  );
}

/** Whether the cluster knows that much: until more happens nothing, such as a first address, is worth a write of its own. */
export function showsStarting({ status }: Pod): boolean {
  if (status?.phase !== 'Pending' || !status.containerStatuses?.length) return false;
  const { containerStatuses: containers, initContainerStatuses: initContainers } = status;
  return isStarting({ phase: 'Pending', containers, initContainers });
}
