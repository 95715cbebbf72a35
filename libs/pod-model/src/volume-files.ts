import { InterlinkError, type ConfigMap, type Pod, type Secret, type Volume } from '@interlink/contract';
import { configMapContent, secretContent, type ObjectContent } from './object-content.ts';
import { volumePath } from './volume-path.ts';

export interface VolumeFile {
  /** Relative to the volume's root, `/` between components, never leaving it. */
  path: string;
  content: Uint8Array;
  /** Permission bits. */
  mode: number;
}

/** What came with the pod; ConfigMaps and Secrets by name, projected content by the name of the volume. */
export interface VolumeSources {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
  /** For projected and downwardAPI volumes: already flattened, each entry's key is a path. */
  projected: ReadonlyMap<string, ConfigMap>;
}

interface KeyToPath {
  key: string;
  path: string;
  mode?: number | null | undefined;
}

const defaultFileMode = 0o644;

/** Whether the volume's content is files that travel with the pod, that is whether {@link volumeFiles} knows it. */
export function hasVolumeFiles(volume: Volume): boolean {
  return Boolean(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);
}

/**
 * The files of one volume of type configMap, secret, projected or downwardAPI. Throws `Invalid` with the field for an
 * unknown volume, another type, content that should have come with the pod and did not, and a path that leaves the volume.
 *
 * Modes are the pod's: the item's, else the volume's `defaultMode`, else 0644. The kubelet narrows service-account
 * tokens to 0600 where the pod sets a user or fsGroup; a site has one user for all files, so tokens stay as the rest.
 */
export function volumeFiles(pod: Pod, volumeName: string, sources: VolumeSources): { files: VolumeFile[] } {
  const volumes = pod.spec.volumes ?? [];
  const index = volumes.findIndex(({ name }) => name === volumeName);
  const volume = volumes[index];
  if (volume === undefined) {
    throw new InterlinkError('Invalid', `the pod has no volume "${volumeName}"`, { field: 'spec.volumes' });
  }
  const field = `spec.volumes[${index}]`;
  const { configMap, secret, projected, downwardAPI } = volume;
  if (configMap) {
    const object = sources.configMaps.get(configMap.name);
    const content = object && configMapContent(object);
    return { files: selectFiles(`ConfigMap "${configMap.name}"`, content, configMap, `${field}.configMap`) };
  }
  if (secret) {
    const object = sources.secrets.get(secret.secretName);
    const content = object && secretContent(object);
    return { files: selectFiles(`Secret "${secret.secretName}"`, content, secret, `${field}.secret`) };
  }
  if (projected || downwardAPI) {
    const kind = projected ? 'projected' : 'downwardAPI';
    const object = sources.projected.get(volumeName);
    if (object === undefined) {
      throw new InterlinkError('Invalid', `the content of volume "${volumeName}" did not come with the pod`, {
        field: `${field}.${kind}`,
      });
    }
    return { files: flattenedFiles(object, volume, `${field}.${kind}`) };
  }
  throw new InterlinkError('Invalid', `volume "${volumeName}" has no files of its own`, { field });
}

/** All keys as files of the same name, or the items alone. An absent optional object is an empty volume. */
function selectFiles(
  what: string,
  content: ObjectContent | undefined,
  {
    items,
    optional,
    defaultMode,
  }: { items?: KeyToPath[] | null; optional?: boolean | null; defaultMode?: number | null },
  field: string,
): VolumeFile[] {
  if (content === undefined) {
    if (optional) return [];
    throw new InterlinkError('Invalid', `${what} did not come with the pod`, { field });
  }
  if (!items?.length) {
    const mode = permissions(defaultMode);
    return Array.from(content, ([key, bytes]) => ({ path: volumePath(key, field), content: bytes, mode }));
  }
  return items.flatMap(({ key, path, mode }, index) => {
    const bytes = content.get(key);
    if (bytes === undefined) {
      if (optional) return [];
      throw new InterlinkError('Invalid', `${what} has no key "${key}"`, { field: `${field}.items[${index}].key` });
    }
    const file = { path: volumePath(path, `${field}.items[${index}].path`), content: bytes };
    return [{ ...file, mode: permissions(mode ?? defaultMode) }];
  });
}

function flattenedFiles(object: ConfigMap, { projected, downwardAPI }: Volume, field: string): VolumeFile[] {
  const sources = projected?.sources ?? [];
  const items = [
    ...(downwardAPI?.items ?? []),
    ...sources.flatMap((source) => [
      ...(source.configMap?.items ?? []),
      ...(source.secret?.items ?? []),
      ...(source.downwardAPI?.items ?? []),
    ]),
  ];
  const modes = new Map(items.map(({ path, mode }) => [volumePath(path, field), mode]));
  const defaultMode = (projected ?? downwardAPI)?.defaultMode;
  return Array.from(configMapContent(object), ([key, content]) => {
    const path = volumePath(key, field);
    return { path, content, mode: permissions(modes.get(path) ?? defaultMode) };
  });
}

/** Never more than permission bits: a setuid file must not come out of a pod's spec. */
function permissions(mode: number | null | undefined): number {
  return (mode ?? defaultFileMode) & 0o777;
}
