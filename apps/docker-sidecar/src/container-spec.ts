import type { Container } from '@interlink/contract';
import { expandEnv, expandText, startFieldValue, type PodAddresses } from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import { devicesOf, deviceSpec, formatAllocation, type Allocation } from './devices/allocation.ts';
import type { DevicesConfig } from './devices/device-config.ts';
import type { LocalImage } from './engine.ts';
import { jobLabels, label } from './labels.ts';
import type { StartSpec } from './plan.ts';
import { podNames } from './spec/hostname.ts';
import { limitsOf } from './spec/limits.ts';
import { containerNamespaces, sandboxNamespaces } from './spec/namespaces.ts';
import { networkFiles, networkFilesVariable, type ClusterDns } from './spec/network-files.ts';
import { containerFields } from './spec/pod-fields.ts';
import { securitySpec } from './spec/security.ts';
import { sandboxMounts } from './volumes/mounts.ts';
import type { VolumeRules } from './volumes/volume-rules.ts';

/** What of the site's configuration goes into a container. */
export interface SpecSettings {
  readonly site: string;
  readonly sandboxImage: string;
  readonly clusterDns: ClusterDns;
  readonly deviceConfig: DevicesConfig;
  readonly volumes: VolumeRules;
}

/** @throws InterlinkError Invalid for a host name that cannot be had. */
export function sandboxSpec(job: Job, settings: SpecSettings, allocation: Allocation = {}): ContainerCreateOptions {
  const names = podNames(job.pod, settings.clusterDns.domain);
  const { HostConfig: namespaces, ...rest } = sandboxNamespaces(job.pod, names);
  const labels: Record<string, string> = { ...jobLabels(job, settings.site), [label.role]: 'sandbox' };
  if (Object.keys(allocation).length > 0) labels[label.devices] = formatAllocation(allocation);
  return {
    ...rest,
    Image: settings.sandboxImage,
    Labels: labels,
    Env: [`${networkFilesVariable}=${networkFiles(job.pod, names, settings.clusterDns)}`],
    HostConfig: {
      ...namespaces,
      Mounts: sandboxMounts(job, settings.volumes),
      ...hardening,
    },
  };
}

/** What is known only when a container is made. */
export interface Surroundings {
  readonly sandboxId: string;
  readonly addresses: PodAddresses;
  readonly image: LocalImage;
  /** The whole pod's. */
  readonly devices: Allocation;
  readonly mounts: readonly MountSettings[];
}

export function containerSpec(
  job: Job,
  settings: SpecSettings,
  start: StartSpec,
  { sandboxId, addresses, image, devices, mounts }: Surroundings,
): ContainerCreateOptions {
  const { container } = start;
  const { pod } = job;
  const env = environment(job, container, addresses);
  const text = (value: string) => (job.payload.expandEnv ? expandText(value, env) : value);
  const { stdin, stdinOnce, tty } = containerFields(container);
  const { HostConfig: security, ...user } = securitySpec(pod, container, image.user);
  return {
    // The very image that the pod was found to be allowed, whatever its name may stand for by now.
    Image: image.id,
    ...user,
    // Kubernetes: command replaces the image's ENTRYPOINT and drops its CMD; args alone replace the CMD.
    ...(container.command?.length
      ? { Entrypoint: container.command.map(text), Cmd: (container.args ?? []).map(text) }
      : {}),
    ...(!container.command?.length && container.args?.length ? { Cmd: container.args.map(text) } : {}),
    ...(container.workingDir ? { WorkingDir: container.workingDir } : {}),
    ...(stdin ? { OpenStdin: true, StdinOnce: stdinOnce ?? false } : {}),
    ...(tty ? { Tty: true } : {}),
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...jobLabels(job, settings.site),
      [label.role]: start.role,
      [label.container]: container.name,
      [label.attempt]: String(start.attempt),
      [label.nextDelay]: String(start.nextDelaySeconds),
    },
    HostConfig: {
      ...containerNamespaces(pod, sandboxId),
      Mounts: [...mounts],
      ...limitsOf(pod, container),
      ...security,
      ...deviceSpec(devicesOf(pod, container, devices), settings.deviceConfig),
      ...hardening,
    },
  };
}

const hardening = {
  // Each start is a container of its own; the sidecar decides about restarts.
  RestartPolicy: { Name: 'no' },
  // Logs rotate, so that one pod cannot fill the engine's disk.
  LogConfig: { Type: 'json-file', Config: { 'max-size': '50m', 'max-file': '3' } },
} as const;

/** The container's variables, final. */
export function environment(job: Job, container: Container, addresses: PodAddresses): Map<string, string> {
  const address = (fieldPath: string) => startFieldValue(fieldPath, addresses);
  const env = container.env ?? [];
  const values = job.payload.expandEnv
    ? expandEnv(env, address)
    : env.map(({ name, value, valueFrom }) => ({
        name,
        value: value ?? address(valueFrom?.fieldRef?.fieldPath ?? '') ?? '',
      }));
  return new Map(values.map(({ name, value }) => [name, value]));
}
