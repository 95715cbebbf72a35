import { hasVolumeFiles, parseQuantity, toInteger, volumeFiles, type VolumeFile } from '@interlink/pod-model';
import type { Pod, Volume } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import { pack, type Pack } from 'tar-stream';

/** The pod's volumes that a container mounts: content comes for these alone, and nobody would see the others. */
export function mountedVolumes({ spec }: Pod): Volume[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const mounted = new Set(containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)));
  return (spec.volumes ?? []).filter(({ name }) => mounted.has(name));
}

/** The tmpfs of a Memory volume, or undefined for one on disk. */
export function memoryOptions(volume: Volume): { sizeBytes?: number } | undefined {
  if (volume.emptyDir?.medium !== 'Memory') return undefined;
  const { sizeLimit } = volume.emptyDir;
  return sizeLimit === undefined || sizeLimit === null
    ? {}
    : { sizeBytes: Number(toInteger(parseQuantity(sizeLimit))) };
}

/**
 * One archive with the content of all volumes of the pod, laid out as Kubernetes does it: the files in a folder
 * `..TIMESTAMP`, `..data` a link to it, and a link through `..data` for each file, so that a later change of all files
 * is one rename.
 */
export async function volumesArchive(job: Job, generation: string): Promise<Buffer> {
  const tar = pack();
  const { configMaps, secrets, projected } = job.payload;
  const sources = { configMaps: byName(configMaps), secrets: byName(secrets), projected: byName(projected) };
  for (const volume of mountedVolumes(job.pod)) {
    if (memoryOptions(volume) !== undefined) continue;
    if (!hasVolumeFiles(volume)) {
      tar.entry({ name: `${volume.name}/`, type: 'directory', mode: 0o777 });
      continue;
    }
    addFiles(tar, volume.name, generation, volumeFiles(job.pod, volume.name, sources).files);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function addFiles(tar: Pack, volume: string, generation: string, files: readonly VolumeFile[]): void {
  tar.entry({ name: `${volume}/`, type: 'directory', mode: 0o755 });
  tar.entry({ name: `${volume}/${generation}/`, type: 'directory', mode: 0o755 });
  const folders = new Set(files.flatMap(({ path }) => parents(path)));
  for (const folder of [...folders].sort())
    tar.entry({ name: `${volume}/${generation}/${folder}/`, type: 'directory', mode: 0o755 });
  for (const { path, content, mode } of files) {
    tar.entry({ name: `${volume}/${generation}/${path}`, mode }, Buffer.from(content));
  }
  tar.entry({ name: `${volume}/..data`, type: 'symlink', linkname: generation });
  for (const top of new Set(files.map(({ path }) => path.split('/', 1)[0] ?? path))) {
    tar.entry({ name: `${volume}/${top}`, type: 'symlink', linkname: `..data/${top}` });
  }
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function byName<T extends { metadata: { name: string } }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.metadata.name, object]));
}
