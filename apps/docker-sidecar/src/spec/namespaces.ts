import type { Pod } from '@interlink/contract';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { PodNames } from './hostname.ts';
import { containerFields, podFields } from './pod-fields.ts';

/** The sandbox holds the pod's namespaces; those of the host only where the pod asks for them (and the site allows it). */
export function sandboxNamespaces(
  pod: Pod,
  { kernelName }: PodNames,
): Pick<ContainerCreateOptions, 'Hostname' | 'ExposedPorts'> & { HostConfig: HostConfig } {
  const { hostNetwork, hostPID, hostIPC, securityContext } = podFields(pod);
  const sysctls = securityContext?.sysctls ?? [];
  const published = hostNetwork ? {} : hostPorts(pod);
  return {
    // A pod on the host's network has the host's name too.
    ...(hostNetwork ? {} : { Hostname: kernelName }),
    ...(Object.keys(published).length > 0
      ? { ExposedPorts: Object.fromEntries(Object.keys(published).map((port) => [port, {}])) }
      : {}),
    HostConfig: {
      ...(hostNetwork ? { NetworkMode: 'host', UTSMode: 'host' } : {}),
      IpcMode: hostIPC ? 'host' : 'shareable',
      ...(hostPID ? { PidMode: 'host' } : {}),
      ...(sysctls.length > 0 ? { Sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) } : {}),
      ...(Object.keys(published).length > 0 ? { PortBindings: published } : {}),
    },
  };
}

export function containerNamespaces(pod: Pod, sandboxId: string): HostConfig {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = podFields(pod);
  const sandbox = `container:${sandboxId}`;
  return {
    NetworkMode: sandbox,
    IpcMode: hostIPC ? 'host' : sandbox,
    ...(hostNetwork ? { UTSMode: 'host' } : {}),
    ...(hostPID ? { PidMode: 'host' } : shareProcessNamespace ? { PidMode: sandbox } : {}),
  };
}

function hostPorts({ spec }: Pod): Record<string, { HostIp: string; HostPort: string }[]> {
  const published: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const { containerPort, hostPort, protocol, hostIP } of containerFields(container).ports ?? []) {
      if (!hostPort) continue;
      const port = `${containerPort}/${(protocol ?? 'TCP').toLowerCase()}`;
      (published[port] ??= []).push({ HostIp: hostIP ?? '', HostPort: String(hostPort) });
    }
  }
  return published;
}
