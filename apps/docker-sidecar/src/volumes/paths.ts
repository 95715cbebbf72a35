import { posix } from 'node:path';
import { InterlinkError, type Container } from '@interlink/contract';
import { expandSubPath, hasVolumeFiles } from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import { z } from 'zod';
import { volumeName } from '../labels.ts';
import { sandboxVolumes, type WantedMount } from './mounts.ts';
import { programAnswer, type VolumeCalls } from './volume-engine.ts';

const foundSchema = z.object({ path: z.string(), kind: z.string() });

interface Kind {
  readonly create?: 'folder' | 'file';
  /** What must be there, as our program calls it. */
  readonly wanted?: string;
  readonly name?: string;
}

/** What each type of a hostPath asks for; without a type a missing folder is made, as container runtimes do. */
const kinds: Readonly<Record<string, Kind>> = {
  '': { create: 'folder' },
  DirectoryOrCreate: { create: 'folder', wanted: 'directory', name: 'directory' },
  Directory: { wanted: 'directory', name: 'directory' },
  FileOrCreate: { create: 'file', wanted: 'file', name: 'file' },
  File: { wanted: 'file', name: 'file' },
  Socket: { wanted: 'socket', name: 'socket file' },
  CharDevice: { wanted: 'charDevice', name: 'character device' },
  BlockDevice: { wanted: 'blockDevice', name: 'block device' },
};

/** A mount with its path below the volume's root; no part of it has been looked at yet. */
export interface PlacedMount extends WantedMount {
  readonly below: string;
}

/** @throws InterlinkError Invalid for a subPathExpr that names an unknown variable. */
export function placeMount(wanted: WantedMount, container: Container, env: ReadonlyMap<string, string>): PlacedMount {
  const { mount, source } = wanted;
  const where = `container "${container.name}" volumeMount "${mount.name}" subPathExpr`;
  const subPath = mount.subPathExpr ? expandSubPath(mount.subPathExpr, env, where) : (mount.subPath ?? '');
  // posix.join would take ".." away, which the resolving must see.
  const parts = [source.kind === 'host' ? source.below : '', subPath].filter((part) => part !== '');
  return { ...wanted, below: parts.join('/') };
}

/**
 * The host's path of a mount, without a symbolic link in it: the engine would follow one, out of the volume. Missing
 * folders are made as the kubelet does. The sandbox's own program looks, as it has every volume.
 *
 * @throws InterlinkError Invalid in the kubelet's words.
 */
export async function resolvePath(
  job: Job,
  { mount, source, below }: PlacedMount,
  containerName: string,
  { engine, sandboxId, signal }: { engine: VolumeCalls; sandboxId: string; signal: AbortSignal },
): Promise<string> {
  const root = `${sandboxVolumes}/${mount.name}`;
  const look = async (flags: readonly string[], path: string) =>
    programAnswer(foundSchema, await engine.run(sandboxId, ['/sandbox', 'resolve', ...flags, root, path], signal));
  const base =
    source.kind === 'host'
      ? source.root
      : await engine.mountpoint(source.kind === 'volume' ? source.name : volumeName(job, mount.name), signal);
  if (source.kind === 'host') await checkHostPath(mount.name, posix.join(source.root, source.below), source, look);
  if (below === '') return base;
  const inHost = source.kind === 'host' && below === source.below;
  const volume = (job.pod.spec.volumes ?? []).find(({ name }) => name === mount.name);
  const flags = [...(volume && hasVolumeFiles(volume) ? ['-data'] : []), ...(inHost ? [] : ['-create=directory'])];
  try {
    const { path } = await look(flags, below);
    return posix.join(base, path);
  } catch (cause) {
    throw because(cause, `failed to prepare subPath for volumeMount "${mount.name}" of container "${containerName}"`);
  }
}

async function checkHostPath(
  volume: string,
  path: string,
  { below, type }: { below: string; type: string },
  look: (flags: readonly string[], path: string) => Promise<{ kind: string }>,
): Promise<void> {
  const { create, wanted, name } = kinds[type] ?? {};
  const failed = `MountVolume.SetUp failed for volume "${volume}" : hostPath type check failed`;
  let kind: string;
  try {
    kind = (await look(create === undefined ? [] : [`-create=${create}`], below)).kind;
  } catch (cause) {
    throw because(cause, name === undefined ? failed : `${failed}: ${path} is not a ${name}`);
  }
  if (wanted !== undefined && kind !== wanted)
    throw new InterlinkError('Invalid', `${failed}: ${path} is not a ${name ?? wanted}`);
}

function because(cause: unknown, message: string): InterlinkError {
  const error = InterlinkError.from(cause);
  return error.code === 'Invalid' ? new InterlinkError('Invalid', `${message}: ${error.message}`, { cause }) : error;
}
