import { open, stat } from 'node:fs/promises';
import { StartError, startFailure } from './start-error.ts';

const maxBytes = 256 * 1024;

/**
 * Reads a file that only its owner may read (a key).
 * @throws StartError saying what to change.
 */
export async function readPrivateFile(path: string): Promise<string> {
  return readWith(path, ({ mode, uid }) => {
    const others = mode & 0o007;
    // Kubernetes mounts a Secret owned by root and readable through the pod's group: only root could narrow that.
    const allowedToGroup = uid === process.getuid?.() ? 0 : 0o040;
    const group = mode & 0o070 & ~allowedToGroup;
    if (others !== 0 || group !== 0) {
      throw new StartError(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`);
    }
  });
}

/** Reads a file that is no secret (a certificate). @throws StartError */
export async function readPublicFile(path: string): Promise<string> {
  return readWith(path, () => undefined);
}

async function readWith(path: string, check: (stats: { mode: number; uid: number }) => void): Promise<string> {
  try {
    await using handle = await open(path, 'r');
    // Of the handle, not of the path: what was checked is what is read.
    const stats = await handle.stat();
    if (!stats.isFile()) throw new StartError(`${path} is not a file`);
    if (stats.size > maxBytes) throw new StartError(`${path} is larger than ${maxBytes} bytes`);
    check(stats);
    return await handle.readFile('utf8');
  } catch (thrown) {
    throw thrown instanceof StartError ? thrown : new StartError(startFailure(thrown), thrown);
  }
}

/** Changes whenever the file is written or replaced; undefined while it cannot be looked at. */
export async function fileStamp(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, ino, size } = await stat(path);
    return `${mtimeMs}:${ino}:${size}`;
  } catch {
    return undefined;
  }
}
