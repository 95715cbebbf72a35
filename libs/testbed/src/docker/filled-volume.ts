import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';

export interface VolumeFile {
  /** Relative to the volume. */
  readonly path: string;
  readonly content: string | Buffer;
  /** Default 0600. */
  readonly mode?: number;
}

export interface VolumeOptions {
  readonly name: string;
  /** Any image that the engine has; nothing in it is run. */
  readonly image: string;
  /** User and group of the files and of the volume itself. */
  readonly owner: number;
  readonly files: readonly VolumeFile[];
}

/** Makes a volume with files that belong to another user, which a bind mount could have from root only. */
export async function createFilledVolume(docker: Docker, { name, image, owner, files }: VolumeOptions): Promise<void> {
  await docker.createVolume({ Name: name });
  // Never started: the engine mounts the volume to copy into it all the same.
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['none'],
    HostConfig: { Binds: [`${name}:/volume`] },
  });
  try {
    const tar = pack();
    const common = { uid: owner, gid: owner, mtime: new Date() };
    tar.entry({ ...common, name: '.', type: 'directory', mode: 0o700 });
    for (const { path, content, mode = 0o600 } of files) tar.entry({ ...common, name: path, mode }, content);
    tar.finalize();
    await container.putArchive(Readable.from(tar), { path: '/volume' });
  } finally {
    await container.remove({ force: true });
  }
}
