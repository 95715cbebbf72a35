import { InterlinkError, type Pod } from '@interlink/contract';

/** What a kubelet answers when asked for the log of a container that has not been started yet; undefined when it has. */
export function waitingToStart(pod: Pod | undefined, container: string): InterlinkError | undefined {
  if (pod === undefined) return undefined;
  const { containerStatuses, initContainerStatuses, phase = 'Pending' } = pod.status ?? {};
  const status = [...(containerStatuses ?? []), ...(initContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  );
  const unseen = status === undefined && phase === 'Pending' ? { reason: 'ContainerCreating', message: '' } : undefined;
  const { reason, message } = status?.state?.waiting ?? unseen ?? {};
  if (!reason || (status?.restartCount ?? 0) > 0) return undefined;
  const what = `container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`;
  return new InterlinkError('Malformed', message ? `${what}: ${message}` : what);
}
