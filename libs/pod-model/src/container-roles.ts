import type { Container, ContainerStatus, Pod } from '@interlink/contract';

type PodSpec = Pod['spec'];

/** An init container that stays beside the others: Kubernetes' native sidecar. */
export function isNativeSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Whether Kubernetes lets the container run again after this exit code; the kube-apiserver refuses a status otherwise. */
export function mayRunAgain(spec: PodSpec, container: Container, exitCode: number): boolean {
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

export function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated);
}

/** True from the first start of an app container on: then the init containers had done their work. */
export function hasBeenInitialized(spec: PodSpec, statuses: readonly ContainerStatus[]): boolean {
  const names = new Set(spec.containers.map(({ name }) => name));
  return statuses.some((status) => names.has(status.name) && hasStarted(status));
}
