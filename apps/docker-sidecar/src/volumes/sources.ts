import { posix } from 'node:path';
import type { Container, Pod, Volume } from '@interlink/contract';
import { hasVolumeFiles, parseQuantity, toInteger } from '@interlink/pod-model';
import { refuse } from '../check-table.ts';
import { volumeFields } from './volume-fields.ts';
import type { VolumeRules } from './volume-rules.ts';

/** Where a volume's content is. */
export type VolumeSource =
  /** An engine volume of the pod's own: emptyDir, or files of the cluster. */
  | { readonly kind: 'own'; readonly readOnly: boolean }
  /** A folder of the host that the config names, and a path below it. */
  | {
      readonly kind: 'host';
      readonly root: string;
      readonly below: string;
      readonly type: string;
      readonly readOnly: boolean;
    }
  /** An engine volume that is there already. */
  | { readonly kind: 'volume'; readonly name: string; readonly readOnly: boolean };

const kinds = ['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI', 'hostPath', 'persistentVolumeClaim'];
const hostPathTypes = [
  '',
  'DirectoryOrCreate',
  'Directory',
  'FileOrCreate',
  'File',
  'Socket',
  'CharDevice',
  'BlockDevice',
];

/** @throws InterlinkError Invalid, by field, for what this site does not offer. */
export function sourceOf(pod: Pod, volume: Volume, rules: VolumeRules): VolumeSource {
  const field = `spec.volumes[${(pod.spec.volumes ?? []).indexOf(volume)}]`;
  const kind = Object.keys(volume).find((key) => key !== 'name' && volume[key] !== null && volume[key] !== undefined);
  const { hostPath, persistentVolumeClaim: claim } = volumeFields(volume, field);
  if (kind !== undefined && !kinds.includes(kind))
    refuse(`${field}.${kind}`, `supported kinds are ${kinds.join(', ')}`);
  if (hostPath) return hostSource(hostPath.path, hostPath.type ?? '', rules, `${field}.hostPath`);
  if (claim) return claimSource(pod, claim.claimName, claim.readOnly ?? false, rules, `${field}.persistentVolumeClaim`);
  const medium = volume.emptyDir?.medium ?? '';
  if (medium !== '' && medium !== 'Memory') refuse(`${field}.emptyDir.medium`, 'supported is Memory');
  // Content of the cluster's: no container may change it, whatever the mount says, as in a kubelet.
  return { kind: 'own', readOnly: hasVolumeFiles(volume) };
}

function hostSource(path: string, type: string, { hostPaths }: VolumeRules, field: string): VolumeSource {
  if (!hostPathTypes.includes(type)) refuse(`${field}.type`, `types are ${hostPathTypes.slice(1).join(', ')}`);
  const clean = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const rule = hostPaths
    .filter(({ path: root }) => isBelow(clean, root))
    .sort((one, other) => other.path.length - one.path.length)[0];
  if (rule === undefined || path.split('/').includes('..'))
    refuse(`${field}.path`, `the host's ${path} is not among volumes.hostPaths of the site's configuration`);
  return { kind: 'host', root: rule.path, below: posix.relative(rule.path, clean), type, readOnly: rule.readOnly };
}

function claimSource(pod: Pod, name: string, readOnly: boolean, { claims }: VolumeRules, field: string): VolumeSource {
  const { namespace } = pod.metadata;
  const rule = claims.find((claim) => claim.namespace === namespace && claim.name === name);
  const common = { readOnly: readOnly || (rule?.readOnly ?? false) };
  if (rule?.hostPath !== undefined)
    return { kind: 'host', root: rule.hostPath, below: '', type: 'Directory', ...common };
  if (rule?.volume !== undefined) return { kind: 'volume', name: rule.volume, ...common };
  return refuse(
    `${field}.claimName`,
    `claim ${namespace}/${name} is not among volumes.claims of the site's configuration`,
  );
}

/** Whether `path` is `root` or something below it. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`);
}

/** All that may mount something: ephemeral ones too. */
export function containersOf({ spec }: Pod): Container[] {
  return [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** The pod's volumes that a container mounts: content comes for these alone, and nobody would see the others. */
export function mountedVolumes({ spec }: Pod): Volume[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const mounted = new Set(containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)));
  return (spec.volumes ?? []).filter(({ name }) => mounted.has(name));
}

/** Of those, the ones that are made and removed with the pod. */
export function ownVolumes(pod: Pod): Volume[] {
  return mountedVolumes(pod).filter((volume) => {
    const { hostPath, persistentVolumeClaim } = volumeFields(volume, `spec.volumes`);
    return !hostPath && !persistentVolumeClaim;
  });
}

/** The tmpfs of a Memory volume, or undefined for one on disk. */
export function memoryOptions(volume: Volume): { sizeBytes?: number } | undefined {
  if (volume.emptyDir?.medium !== 'Memory') return undefined;
  const { sizeLimit } = volume.emptyDir;
  return sizeLimit === undefined || sizeLimit === null
    ? {}
    : { sizeBytes: Number(toInteger(parseQuantity(sizeLimit))) };
}
