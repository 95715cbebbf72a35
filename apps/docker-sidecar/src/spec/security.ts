import type { Container, Pod } from '@interlink/contract';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { containerFields, podFields, type ContainerFields, type PodFields } from './pod-fields.ts';

type Security = NonNullable<ContainerFields['securityContext']>;

/** The container's own security context over the pod's: what it sets itself goes first, field by field. */
export function securityOf(pod: Pod, container: Container): Security {
  const ofPod = podFields(pod).securityContext ?? {};
  const own = containerFields(container).securityContext ?? {};
  return {
    ...own,
    runAsUser: own.runAsUser ?? ofPod.runAsUser,
    runAsGroup: own.runAsGroup ?? ofPod.runAsGroup,
    runAsNonRoot: own.runAsNonRoot ?? ofPod.runAsNonRoot,
    seccompProfile: own.seccompProfile ?? ofPod.seccompProfile,
    appArmorProfile: own.appArmorProfile ?? ofPod.appArmorProfile,
    seLinuxOptions: own.seLinuxOptions ?? ofPod.seLinuxOptions,
  };
}

/** User, groups and rights. `imageUser` is the image's own USER, empty where it has none. */
export function securitySpec(
  pod: Pod,
  container: Container,
  imageUser: string,
): Pick<ContainerCreateOptions, 'User'> & { HostConfig: HostConfig } {
  const security = securityOf(pod, container);
  const groups = podGroups(podFields(pod));
  const { add, drop } = security.capabilities ?? {};
  const options = securityOptions(security);
  return {
    ...userOf(security, imageUser),
    HostConfig: {
      ...(groups.length > 0 ? { GroupAdd: groups.map(String) } : {}),
      ...(add?.length ? { CapAdd: add } : {}),
      ...(drop?.length ? { CapDrop: drop } : {}),
      ...(security.privileged ? { Privileged: true } : {}),
      ...(security.readOnlyRootFilesystem ? { ReadonlyRootfs: true } : {}),
      ...(options.length > 0 ? { SecurityOpt: options } : {}),
    },
  };
}

/** A group alone goes with the image's user, which is root where the image names none. */
function userOf({ runAsUser, runAsGroup }: Security, imageUser: string): { User?: string } {
  if (isUnset(runAsGroup)) return isUnset(runAsUser) ? {} : { User: String(runAsUser) };
  return { User: `${runAsUser ?? userPart(imageUser)}:${runAsGroup}` };
}

function podGroups({ securityContext }: PodFields): number[] {
  const { fsGroup, supplementalGroups } = securityContext ?? {};
  return [...new Set([...(isUnset(fsGroup) ? [] : [fsGroup]), ...(supplementalGroups ?? [])])];
}

/** The engine's own seccomp and AppArmor profiles are what Kubernetes calls RuntimeDefault; they stay where none is named. */
function securityOptions(security: Security): string[] {
  const { allowPrivilegeEscalation, seccompProfile, appArmorProfile, seLinuxOptions } = security;
  const labels = (['user', 'role', 'type', 'level'] as const).flatMap((part) => {
    const value = seLinuxOptions?.[part];
    return value ? [`label=${part}:${value}`] : [];
  });
  return [
    ...(allowPrivilegeEscalation === false ? ['no-new-privileges'] : []),
    ...(seccompProfile?.type === 'Unconfined' ? ['seccomp=unconfined'] : []),
    ...(appArmorProfile?.type === 'Unconfined' ? ['apparmor=unconfined'] : []),
    ...labels,
  ];
}

/** Why a container that must not run as root would, or may, in the kubelet's words; undefined: it will not. */
export function nonRootProblem(pod: Pod, container: Container, imageUser: string): string | undefined {
  const { runAsNonRoot, runAsUser } = securityOf(pod, container);
  if (!runAsNonRoot) return undefined;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (!isUnset(runAsUser)) {
    return runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  }
  const user = userPart(imageUser);
  if (!/^[+-]?\d+$/.test(user)) {
    return `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`;
  }
  return Number(user) === 0 ? `container has runAsNonRoot and image will run as root ${where}` : undefined;
}

function userPart(imageUser: string): string {
  return imageUser.split(':', 1)[0] || '0';
}

function isUnset(value: number | null | undefined): value is null | undefined {
  return value === null || value === undefined;
}
