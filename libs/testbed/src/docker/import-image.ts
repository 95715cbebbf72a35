import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { TestbedError } from '../testbed-error.ts';

/** One entry of an image's only layer; paths have no slash in front. */
export type LayerEntry =
  | { path: string; type: 'file'; content: Buffer | string; mode?: number }
  | { path: string; type: 'folder'; mode?: number }
  | { path: string; type: 'link'; target: string };

/** Makes the image `name` (repository:tag) from files. `changes` are Dockerfile lines such as CMD and ENV. */
export async function importImage(
  docker: Docker,
  name: string,
  entries: readonly LayerEntry[],
  changes: readonly string[],
): Promise<void> {
  const [repo, tag] = name.split(':');
  const progress = await docker.importImage(layer(entries), { repo, tag, changes });
  await drain(docker, name, progress);
}

/** Waits for the end of a pull or import. The answer is 200 before the work is done: an error comes as a line. */
export async function drain(docker: Docker, name: string, progress: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (failure, lines: unknown[]) => {
      const problem = failure?.message ?? lines.map(errorOf).find((text) => text !== undefined);
      if (problem === undefined) resolve();
      else reject(new TestbedError(`image ${name}: ${problem}`, { cause: failure }));
    });
  });
}

/** Whether the engine has an image of this name. */
export async function hasImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404) return false;
    throw error;
  }
}

function layer(entries: readonly LayerEntry[]): Readable {
  const tar = pack();
  // Always the same bytes for the same files.
  const mtime = new Date(0);
  for (const entry of entries) {
    switch (entry.type) {
      case 'file':
        tar.entry({ name: entry.path, mode: entry.mode ?? 0o644, mtime }, entry.content);
        break;
      case 'folder':
        tar.entry({ name: entry.path, type: 'directory', mode: entry.mode ?? 0o755, mtime });
        break;
      case 'link':
        tar.entry({ name: entry.path, type: 'symlink', linkname: entry.target, mtime });
        break;
    }
  }
  tar.finalize();
  return Readable.from(tar);
}

function errorOf(line: unknown): string | undefined {
  if (typeof line !== 'object' || line === null || !('error' in line)) return undefined;
  return String(line.error);
}
