import type { Container, Pod } from '@interlink/contract';
import { mountFields } from './volume-fields.ts';
import { refuse } from '../check-table.ts';
import { sourceOf } from './sources.ts';
import type { VolumeRules } from './volume-rules.ts';

/** The engine's API from which on a bind can be read-only all the way down. */
const recursiveReadOnlyApi = 44;

/**
 * Whether the volumes and mounts of the pod can be had here.
 *
 * @param apiMinor the engine's API, 41 for 1.41; undefined: not known yet, the least is assumed.
 * @throws InterlinkError Invalid that names the first field that can not be carried out.
 */
export function checkVolumes(pod: Pod, rules: VolumeRules, apiMinor: number | undefined): void {
  const readOnly = new Map(
    (pod.spec.volumes ?? []).map((volume) => {
      const source = sourceOf(pod, volume, rules);
      return [volume.name, source.kind !== 'own' && source.readOnly ? volume.name : undefined] as const;
    }),
  );
  const check = (containers: readonly Container[], list: string) => {
    containers.forEach(({ volumeMounts }, containerIndex) => {
      (volumeMounts ?? []).forEach((mount, index) => {
        const field = `spec.${list}[${containerIndex}].volumeMounts[${index}]`;
        const { mountPropagation, recursiveReadOnly } = mountFields(mount, field);
        if (!['', 'None', 'HostToContainer', 'Bidirectional'].includes(mountPropagation ?? ''))
          refuse(`${field}.mountPropagation`, 'values are None, HostToContainer and Bidirectional');
        if (recursiveReadOnly === 'Enabled' && (apiMinor ?? 0) < recursiveReadOnlyApi)
          refuse(
            `${field}.recursiveReadOnly`,
            `the engine's API is older than 1.${recursiveReadOnlyApi}; use IfPossible`,
          );
        if (readOnly.get(mount.name) !== undefined && mountPropagation === 'Bidirectional')
          refuse(`${field}.mountPropagation`, `volume "${mount.name}" is read-only here`);
      });
    });
  };
  check(pod.spec.containers, 'containers');
  check(pod.spec.initContainers ?? [], 'initContainers');
}
