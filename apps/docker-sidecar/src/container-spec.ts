import type { Container, Pod } from '@interlink/contract';
import {
  expandEnv,
  expandText,
  hasVolumeFiles,
  parseQuantity,
  startFieldValue,
  toInteger,
  type PodAddresses,
} from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import { jobLabels, label, volumeName } from './labels.ts';
import type { StartSpec } from './plan.ts';
import { mountedVolumes } from './volumes.ts';

/** Where the sandbox has each volume of the pod. */
export const sandboxVolumes = '/volumes';

export function sandboxSpec(job: Job, site: string, image: string): ContainerCreateOptions {
  return {
    Image: image,
    Labels: { ...jobLabels(job, site), [label.role]: 'sandbox' },
    Hostname: hostname(job.pod),
    HostConfig: {
      IpcMode: 'shareable',
      // It holds every volume of the pod, which keeps Memory volumes alive between containers.
      Mounts: mountedVolumes(job.pod).map((volume) =>
        mount(job, volume.name, `${sandboxVolumes}/${volume.name}`, false),
      ),
      ...hardening,
    },
  };
}

export function containerSpec(
  job: Job,
  site: string,
  start: StartSpec,
  sandboxId: string,
  addresses: PodAddresses,
): ContainerCreateOptions {
  const { container } = start;
  const env = environment(job, container, addresses);
  const text = (value: string) => (job.payload.expandEnv ? expandText(value, env) : value);
  return {
    Image: container.image ?? '',
    // Kubernetes: command replaces the image's ENTRYPOINT and drops its CMD; args alone replace the CMD.
    ...(container.command?.length
      ? { Entrypoint: container.command.map(text), Cmd: (container.args ?? []).map(text) }
      : {}),
    ...(!container.command?.length && container.args?.length ? { Cmd: container.args.map(text) } : {}),
    ...(container.workingDir ? { WorkingDir: container.workingDir } : {}),
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...jobLabels(job, site),
      [label.role]: start.role,
      [label.container]: container.name,
      [label.attempt]: String(start.attempt),
      [label.nextDelay]: String(start.nextDelaySeconds),
    },
    HostConfig: {
      NetworkMode: `container:${sandboxId}`,
      IpcMode: `container:${sandboxId}`,
      Mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) =>
        mount(job, name, mountPath, (readOnly ?? false) || hasFiles(job.pod, name)),
      ),
      ...limits(container),
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

function environment(job: Job, container: Container, addresses: PodAddresses): Map<string, string> {
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

function mount(job: Job, volume: string, target: string, readOnly: boolean): MountSettings {
  return {
    Type: 'volume',
    Source: volumeName(job, volume),
    Target: target,
    ReadOnly: readOnly,
    // Without this the engine copies what the image has at that path into the empty volume.
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
  };
}

/** Content of the cluster's: no container may change it, whatever the mount says, as in a kubelet. */
function hasFiles(pod: Pod, name: string): boolean {
  return (pod.spec.volumes ?? []).some((volume) => volume.name === name && hasVolumeFiles(volume));
}

function limits(container: Container): { Memory?: number; MemorySwap?: number; NanoCpus?: number; CpuShares?: number } {
  const { cpu, memory } = container.resources?.limits ?? {};
  const bytes = memory === undefined ? undefined : Number(toInteger(parseQuantity(memory)));
  return {
    // Swap equal to memory means none: the limit is a limit.
    ...(bytes === undefined ? {} : { Memory: bytes, MemorySwap: bytes }),
    ...(cpu === undefined ? {} : { NanoCpus: Number(parseQuantity(cpu).nano) }),
  };
}

/** As Kubernetes: the pod's name, cut to 63 characters and not ending in a separator. */
function hostname(pod: Pod): string {
  return pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '');
}
