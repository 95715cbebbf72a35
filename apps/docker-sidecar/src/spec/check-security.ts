import type { Container, Pod } from '@interlink/contract';
import { check, isEmpty, only, refuse, rules, type Rule } from '../check-table.ts';
import type { Config } from '../config.ts';
import { containerFields, podFields } from './pod-fields.ts';

type Allow = Config['allow'];

/** Namespaced, and of no influence outside of the pod: the kubelet's list. */
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_notsent_lowat',
]);

const profileRule: Rule = (value) =>
  isEmpty(value) || ['RuntimeDefault', 'Unconfined'].includes(String(Reflect.get(Object(value), 'type')));

const bothRules: Record<string, Rule> = {
  ...rules('runAsUser runAsGroup runAsNonRoot seLinuxOptions'),
  seccompProfile: profileRule,
  appArmorProfile: profileRule,
};

const podRules: Record<string, Rule> = {
  ...bothRules,
  ...rules('fsGroup fsGroupChangePolicy supplementalGroups supplementalGroupsPolicy sysctls seLinuxChangePolicy'),
};

const containerRules: Record<string, Rule> = {
  ...bothRules,
  ...rules('capabilities privileged readOnlyRootFilesystem allowPrivilegeEscalation'),
  procMount: only('Default'),
};

export function checkHostNamespaces(pod: Pod, allow: Allow): void {
  const fields = podFields(pod);
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (fields[field] && !allow[field]) refuse(`spec.${field}`, `its configuration does not allow it (allow.${field})`);
  }
}

export function checkPodSecurity(pod: Pod): void {
  const { securityContext, hostNetwork } = podFields(pod);
  const where = 'spec.securityContext';
  check(securityContext ?? {}, podRules, where);
  (securityContext?.sysctls ?? []).forEach(({ name: written }, index) => {
    const name = written.replaceAll('/', '.');
    if (!safeSysctls.has(name)) refuse(`${where}.sysctls[${index}]`, `${name} is not one of the safe sysctls`);
    if (hostNetwork && name.startsWith('net.'))
      refuse(`${where}.sysctls[${index}]`, `${name} would be the host's own, because the pod is on its network`);
  });
  if (securityContext?.supplementalGroupsPolicy !== 'Strict') return;
  // The engine leaves the image's own groups out only for a group that is named.
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    const group = containerFields(container).securityContext?.runAsGroup ?? securityContext.runAsGroup;
    if (group === null || group === undefined)
      refuse(`${where}.supplementalGroupsPolicy`, `Strict needs a runAsGroup for container ${container.name}`);
  }
}

export function checkContainerSecurity(container: Container, where: string, allow: Allow): void {
  const security = containerFields(container, where).securityContext ?? {};
  check(security, containerRules, `${where}.securityContext`);
  if (security.privileged && !allow.privileged)
    refuse(`${where}.securityContext.privileged`, 'its configuration does not allow it (allow.privileged)');
}
