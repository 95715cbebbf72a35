import { isCode, type Pod } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import { jobLabels, label, volumeName } from '../labels.ts';
import { sandboxVolumes, wantedMounts, type WantedMount } from './mounts.ts';
import { containersOf } from './sources.ts';
import type { VolumeRules } from './volume-rules.ts';
import { mountFields } from './volume-fields.ts';
import type { VolumeCalls } from './volume-engine.ts';

/** Whether containers of the pod may have left mounts in its volumes, which outlive them. */
export function hasSharedMounts(pod: Pod): boolean {
  return containersOf(pod).some(({ volumeMounts }) =>
    (volumeMounts ?? []).some((mount) => mountFields(mount, 'volumeMounts').mountPropagation === 'Bidirectional'),
  );
}

/**
 * A container that takes them away, from the host and with it from everybody; undefined when the volumes are not there
 * any more. Only volumes of the pod's own: in a folder of the host's others may have mounts, too.
 */
export async function leftMountsBody(
  job: Job,
  { engine, image, site, rules }: { engine: VolumeCalls; image: string; site: string; rules: VolumeRules },
  signal: AbortSignal,
): Promise<ContainerCreateOptions | undefined> {
  const { pod } = job;
  const shared = containersOf(pod)
    .flatMap((container): WantedMount[] => wantedMounts(pod, container, rules))
    .filter(({ source, propagation }) => source.kind === 'own' && propagation === 'rshared');
  const names = [...new Set(shared.map(({ mount }) => mount.name))];
  const mounts: MountSettings[] = [];
  for (const name of names) {
    const Target = `${sandboxVolumes}/${name}`;
    try {
      const Source = await engine.mountpoint(volumeName(job, name), signal);
      mounts.push({ Type: 'bind', Source, Target, BindOptions: { Propagation: 'rshared' } });
    } catch (error) {
      // Removed by an earlier try.
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
  if (mounts.length === 0) return undefined;
  return {
    Image: image,
    Cmd: ['unmount', ...mounts.map(({ Target }) => Target)],
    Labels: { ...jobLabels(job, site), [label.role]: 'helper' },
    NetworkDisabled: true,
    HostConfig: { Privileged: true, Mounts: mounts, NetworkMode: 'none' },
  };
}
