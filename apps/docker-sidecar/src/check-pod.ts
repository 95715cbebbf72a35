import { InterlinkError, type Container, type Pod } from '@interlink/contract';

/**
 * What of a Pod this sidecar carries out. Everything else is refused by name rather than dropped, unless it stands at
 * the value that the kube-apiserver fills in. The table is the truth; README lists it in words.
 */
type Rule = 'ok' | ((value: unknown) => boolean);

const isEmpty = (value: unknown): boolean => {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
};
const only =
  (...values: unknown[]): Rule =>
  (value) =>
    isEmpty(value) || values.includes(value);

/** Fields that speak to the cluster (scheduler, controllers), and those carried out here. */
const podRules: Record<string, Rule> = {
  ...rules('containers initContainers volumes restartPolicy terminationGracePeriodSeconds imagePullSecrets'),
  ...rules('nodeName nodeSelector affinity tolerations schedulerName priority priorityClassName preemptionPolicy'),
  ...rules('topologySpreadConstraints schedulingGates readinessGates serviceAccountName serviceAccount'),
  ...rules('automountServiceAccountToken enableServiceLinks'),
  dnsPolicy: only('ClusterFirst', 'Default'),
  // False asks for a user namespace of its own.
  hostUsers: (value) => value === true,
  os: (value) => isEmpty(value) || JSON.stringify(value) === '{"name":"linux"}',
};

const containerRules: Record<string, Rule> = {
  ...rules('name image imagePullPolicy command args workingDir env volumeMounts'),
  terminationMessagePath: only('/dev/termination-log'),
  terminationMessagePolicy: only('File'),
  ports: (value) => Array.isArray(value) && value.every((port) => isEmpty((port as { hostPort?: unknown }).hostPort)),
  resources: (value) => isEmpty((value as { claims?: unknown }).claims),
  // The one field of it whose false is not the default.
  securityContext: (value) => isEmpty(value) && Reflect.get(Object(value), 'allowPrivilegeEscalation') !== false,
};

const volumeKinds = ['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI'];
const resourceNames = ['cpu', 'memory'];

/** @throws InterlinkError Invalid that names the first field that can not be carried out here. */
export function checkPod(pod: Pod): void {
  check(pod.spec, podRules, 'spec');
  for (const [list, containers] of [
    ['containers', pod.spec.containers],
    ['initContainers', pod.spec.initContainers ?? []],
  ] as const) {
    containers.forEach((container, index) => checkContainer(container, `spec.${list}[${index}]`));
  }
  (pod.spec.volumes ?? []).forEach((volume, index) => {
    const kind = Object.keys(volume).find((key) => key !== 'name' && !isUnset(volume[key])) ?? 'emptyDir';
    if (!volumeKinds.includes(kind))
      refuse(`spec.volumes[${index}].${kind}`, `supported kinds are ${volumeKinds.join(', ')}`);
    if (!isEmpty(volume.emptyDir?.medium) && volume.emptyDir?.medium !== 'Memory')
      refuse(`spec.volumes[${index}].emptyDir.medium`, 'supported is Memory');
  });
}

function checkContainer(container: Container, where: string): void {
  check(container, containerRules, where);
  if (isEmpty(container.image)) refuse(`${where}.image`, 'a container needs an image');
  (container.volumeMounts ?? []).forEach((mount, index) => {
    check(
      mount,
      { ...rules('name mountPath readOnly'), mountPropagation: only('None'), recursiveReadOnly: only('Disabled') },
      `${where}.volumeMounts[${index}]`,
    );
  });
  for (const list of ['limits', 'requests'] as const) {
    for (const name of Object.keys(container.resources?.[list] ?? {})) {
      if (!resourceNames.includes(name))
        refuse(`${where}.resources.${list}.${name}`, `this site has ${resourceNames.join(' and ')}`);
    }
  }
}

function check(object: Record<string, unknown>, table: Record<string, Rule>, where: string): void {
  for (const [key, value] of Object.entries(object)) {
    const rule = table[key];
    if (rule === 'ok' || isUnset(value) || (rule ?? isEmpty)(value)) continue;
    refuse(`${where}.${key}`, 'remove it, or use a site that supports it');
  }
}

function isUnset(value: unknown): boolean {
  return value === null || value === undefined;
}

function rules(names: string): Record<string, Rule> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'ok' as const]));
}

function refuse(field: string, advice: string): never {
  throw new InterlinkError('Invalid', `${field} is not supported by the docker site: ${advice}`, { field });
}
