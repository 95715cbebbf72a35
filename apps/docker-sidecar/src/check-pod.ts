import type { Container, Pod } from '@interlink/contract';
import { check, isEmpty, refuse, rules, type Rule } from './check-table.ts';
import type { Config } from './config.ts';
import { checkResources } from './devices/check-resources.ts';
import { checkCare } from './probes/check-care.ts';
import { checkContainerSecurity, checkHostNamespaces, checkPodSecurity } from './spec/check-security.ts';
import { checkVolumes } from './volumes/check-volumes.ts';
import type { VolumeRules } from './volumes/volume-rules.ts';

/** What the site's configuration says about pods. */
export interface SiteRules {
  readonly allow: Config['allow'];
  /** How many devices there are of each extended resource. */
  readonly devices: Readonly<Record<string, number>>;
  readonly volumes: VolumeRules;
  /** Of the engine's API, 41 for 1.41; undefined: not known yet. */
  readonly apiMinor: number | undefined;
}

/*
 * What of a Pod this sidecar carries out. Everything else is refused by name rather than dropped, unless it stands at
 * the value that the kube-apiserver fills in. The tables are the truth; README lists it in words.
 */

/** Fields that speak to the cluster (scheduler, controllers), and those carried out here. */
const podRules: Record<string, Rule> = {
  ...rules('containers initContainers volumes restartPolicy terminationGracePeriodSeconds imagePullSecrets'),
  ...rules('nodeName nodeSelector affinity tolerations schedulerName priority priorityClassName preemptionPolicy'),
  ...rules('topologySpreadConstraints schedulingGates readinessGates serviceAccountName serviceAccount'),
  ...rules('automountServiceAccountToken enableServiceLinks activeDeadlineSeconds ephemeralContainers'),
  ...rules('hostname subdomain setHostnameAsFQDN hostnameOverride hostAliases dnsPolicy dnsConfig'),
  // Their content is looked at on its own.
  ...rules('shareProcessNamespace hostNetwork hostPID hostIPC securityContext resources'),
  // False asks for a user namespace of its own.
  hostUsers: (value) => value === true,
  os: (value) => isEmpty(value) || JSON.stringify(value) === '{"name":"linux"}',
};

const mountRules = rules('name mountPath readOnly subPath subPathExpr mountPropagation recursiveReadOnly');

const containerRules: Record<string, Rule> = {
  ...rules('name image imagePullPolicy command args workingDir env volumeMounts ports stdin stdinOnce tty'),
  ...rules('resources resizePolicy securityContext'),
  ...rules('startupProbe livenessProbe readinessProbe lifecycle restartPolicy restartPolicyRules'),
  ...rules('terminationMessagePath terminationMessagePolicy targetContainerName'),
};

/** @throws InterlinkError Invalid that names the first field that can not be carried out here. */
export function checkPod(pod: Pod, site: SiteRules): void {
  check(pod.spec, podRules, 'spec');
  checkHostNamespaces(pod, site.allow);
  checkPodSecurity(pod);
  checkResources(pod, site.devices);
  for (const [list, containers] of [
    ['containers', pod.spec.containers],
    ['initContainers', pod.spec.initContainers ?? []],
    ['ephemeralContainers', pod.spec.ephemeralContainers ?? []],
  ] as const) {
    containers.forEach((container, index) => checkContainer(container, `spec.${list}[${index}]`, site));
  }
  checkVolumes(pod, site.volumes, site.apiMinor);
}

function checkContainer(container: Container, where: string, site: SiteRules): void {
  check(container, containerRules, where);
  checkCare(container, where);
  checkContainerSecurity(container, where, site.allow);
  if (isEmpty(container.image)) refuse(`${where}.image`, 'a container needs an image');
  (container.volumeMounts ?? []).forEach((mount, index) => {
    check(mount, mountRules, `${where}.volumeMounts[${index}]`);
  });
}
