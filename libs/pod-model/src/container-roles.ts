import type { Container, ContainerStatus, Pod } from '@interlink/contract';
import { z } from 'zod';

type PodSpec = Pod['spec'];

const rulesSchema = z.array(
  z.looseObject({
    action: z.string(),
    exitCodes: z.looseObject({ operator: z.string(), values: z.array(z.number()).nullish() }).nullish(),
  }),
);

/** An init container that stays beside the others: Kubernetes' native sidecar. */
export function isNativeSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * Whether Kubernetes lets the container run again after this exit code; the kube-apiserver refuses a status otherwise.
 * The container's own rules come first, then its own policy, then the pod's. An init container is done after a 0.
 */
export function mayRunAgain(spec: PodSpec, container: Container, exitCode: number): boolean {
  const own = container.restartPolicy;
  if (own && matchesRestartRule(container, exitCode)) return true;
  const policy = own || spec.restartPolicy || 'Always';
  const isOneShot = !own && (spec.initContainers ?? []).includes(container);
  return (policy === 'Always' && !(isOneShot && exitCode === 0)) || (policy === 'OnFailure' && exitCode !== 0);
}

function matchesRestartRule(container: Container, exitCode: number): boolean {
  const rules = rulesSchema.safeParse(container['restartPolicyRules'] ?? []);
  const first = rules.data?.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes?.operator === 'In' ? listed : exitCodes?.operator === 'NotIn' && !listed;
  });
  return first?.action === 'Restart';
}

export function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated);
}

/** True from the first start of an app container on: then the init containers had done their work. */
export function hasBeenInitialized(spec: PodSpec, statuses: readonly ContainerStatus[]): boolean {
  const names = new Set(spec.containers.map(({ name }) => name));
  return statuses.some((status) => names.has(status.name) && hasStarted(status));
}
