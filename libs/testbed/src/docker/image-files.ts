import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

export interface ImageFile {
  readonly path: string;
  readonly type: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
}

/** What the engine puts into every container that it makes. */
const added = new Set(['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf']);

/** All that is in an image, seen from outside: one without a shell cannot be asked. */
export async function imageFiles(docker: Docker, image: string): Promise<ImageFile[]> {
  const container = await docker.createContainer({ Image: image, Cmd: ['none'] });
  try {
    const files: ImageFile[] = [];
    const listing = extract();
    listing.on('entry', ({ name, type, mode = 0, uid = 0 }, content, next) => {
      if (!added.has(name)) files.push({ path: name, type: type ?? 'file', mode: mode & 0o7777, uid });
      content.once('end', next);
      content.resume();
    });
    await pipeline(await container.export(), listing);
    return files;
  } finally {
    await container.remove({ force: true });
  }
}
