import type { Container, Pod } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { MountPropagation, MountSettings } from 'dockerode';
import { volumeName } from '../labels.ts';
import { refuse } from '../check-table.ts';
import { mountedVolumes, sourceOf, type VolumeSource } from './sources.ts';
import type { VolumeRules } from './volume-rules.ts';
import { mountFields, type VolumeMount } from './volume-fields.ts';

/** Where the sandbox has each volume of the pod. */
export const sandboxVolumes = '/volumes';

/** The sandbox holds every volume of the pod, which keeps Memory volumes alive between containers. */
export function sandboxMounts(job: Job, rules: VolumeRules): MountSettings[] {
  return mountedVolumes(job.pod).map((volume) => {
    const target = `${sandboxVolumes}/${volume.name}`;
    const source = sourceOf(job.pod, volume, rules);
    if (source.kind === 'host') return bind(source.root, target, source.readOnly, undefined);
    return named(source.kind === 'volume' ? source.name : volumeName(job, volume.name), target, false);
  });
}

/** One mount of a container, and what is to be found out before it can be made. */
export interface WantedMount {
  readonly mount: VolumeMount;
  readonly source: VolumeSource;
  readonly readOnly: boolean;
  /** undefined: none, or what the engine insists on for a bind of one of its own folders. */
  readonly propagation: MountPropagation | undefined;
  /** It is a bind of a path of the host's, which has to be resolved first. */
  readonly needsPath: boolean;
}

export function wantedMounts(pod: Pod, container: Container, rules: VolumeRules): WantedMount[] {
  return (container.volumeMounts ?? []).map((mount, index) => {
    const field = `container "${container.name}" volumeMounts[${index}]`;
    const volume = (pod.spec.volumes ?? []).find(({ name }) => name === mount.name);
    if (volume === undefined) return refuse(field, `the pod has no volume "${mount.name}"`);
    const source = sourceOf(pod, volume, rules);
    const propagation = propagationOf(mountFields(mount, field).mountPropagation);
    const needsPath =
      source.kind === 'host' || Boolean(mount.subPath ?? mount.subPathExpr) || propagation !== undefined;
    return { mount, source, readOnly: (mount.readOnly ?? false) || source.readOnly, propagation, needsPath };
  });
}

/** @param path the host's path, for those that need one. */
export function mountOf(job: Job, wanted: WantedMount, path: string | undefined): MountSettings {
  const { mount, source, readOnly, propagation } = wanted;
  if (path !== undefined) return bind(path, mount.mountPath, readOnly, propagation);
  return named(source.kind === 'volume' ? source.name : volumeName(job, mount.name), mount.mountPath, readOnly);
}

function propagationOf(value: string | null | undefined): MountPropagation | undefined {
  if (value === 'Bidirectional') return 'rshared';
  return value === 'HostToContainer' ? 'rslave' : undefined;
}

function bind(
  source: string,
  target: string,
  readOnly: boolean,
  propagation: MountPropagation | undefined,
): MountSettings {
  const options = propagation === undefined ? {} : { BindOptions: { Propagation: propagation } };
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, ...options };
}

function named(source: string, target: string, readOnly: boolean): MountSettings {
  return {
    Type: 'volume',
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    // Without this the engine copies what the image has at that path into the empty volume.
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
  };
}
