import { createHash } from 'node:crypto';
import { hasVolumeFiles, volumeFiles, type VolumeFile } from '@interlink/pod-model';
import type { Volume } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import { pack, type Pack } from 'tar-stream';
import { ownershipOf, type Ownership } from './ownership.ts';
import { memoryOptions, ownVolumes } from './sources.ts';

/**
 * One archive with the content of all volumes of the pod, laid out as Kubernetes does it: the files in a folder
 * `..TIMESTAMP`, `..data` a link to it, and a link through `..data` for each file, so that a later change of all files
 * is one rename.
 * @param also what else goes to the same place, for each archive costs the engine a process
 */
export function volumesArchive(job: Job, generation: string, also?: (tar: Pack) => void): Promise<Buffer> {
  return archiveOf((tar) => {
    const ownership = ownershipOf(job.pod);
    for (const volume of ownVolumes(job.pod)) {
      if (memoryOptions(volume) !== undefined) continue;
      if (!hasVolumeFiles(volume)) {
        tar.entry({ name: `${volume.name}/`, type: 'directory', ...ownership.emptyDir });
        continue;
      }
      const files = filesOf(job, volume);
      tar.entry({ name: `${volume.name}/`, type: 'directory', ...ownership.folder });
      addFiles(tar, volume, generation, files, ownership);
      tar.entry({ name: `${volume.name}/..data`, type: 'symlink', linkname: generation });
      for (const top of new Set(files.map(({ path }) => path.split('/', 1)[0] ?? path))) {
        tar.entry({ name: `${volume.name}/${top}`, type: 'symlink', linkname: `..data/${top}` });
      }
    }
    also?.(tar);
  });
}

/** New content of these volumes, in a folder beside what is in use. */
export function contentArchive(job: Job, volumes: readonly Volume[], generation: string): Promise<Buffer> {
  return archiveOf((tar) => {
    for (const volume of volumes) addFiles(tar, volume, generation, filesOf(job, volume), ownershipOf(job.pod));
  });
}

/** What tells whether a volume's files are others than before. */
export function contentHash(job: Job, volume: Volume): string {
  const hash = createHash('sha256');
  for (const { path, content, mode } of filesOf(job, volume)) {
    hash.update(`${JSON.stringify([path, mode, content.length])}\n`).update(content);
  }
  return hash.digest('hex');
}

/** The volumes of the pod whose content is files of the cluster's. */
export function fileVolumes(job: Job): Volume[] {
  return ownVolumes(job.pod).filter(hasVolumeFiles);
}

function filesOf(job: Job, { name }: Volume): VolumeFile[] {
  const { configMaps, secrets, projected } = job.payload;
  const sources = { configMaps: byName(configMaps), secrets: byName(secrets), projected: byName(projected) };
  return volumeFiles(job.pod, name, sources).files;
}

function addFiles(
  tar: Pack,
  volume: Volume,
  generation: string,
  files: readonly VolumeFile[],
  { folder, file }: Ownership,
): void {
  const root = `${volume.name}/${generation}`;
  tar.entry({ name: `${root}/`, type: 'directory', ...folder });
  for (const path of [...new Set(files.flatMap(({ path }) => parents(path)))].sort())
    tar.entry({ name: `${root}/${path}/`, type: 'directory', ...folder });
  for (const one of files) tar.entry({ name: `${root}/${one.path}`, ...file(volume, one) }, Buffer.from(one.content));
}

async function archiveOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function byName<T extends { metadata: { name: string } }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.metadata.name, object]));
}
