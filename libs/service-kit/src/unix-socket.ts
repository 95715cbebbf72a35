import { lstatSync, unlinkSync, type Stats } from 'node:fs';
import { connect } from 'node:net';
import { errnoOf, StartError, startFailure } from './start-error.ts';

const answerDueMs = 2000;

/**
 * Makes room for a socket file: one that a dead process left behind is removed.
 * @throws StartError if something else is there, or a process listens on it.
 */
export async function clearSocketPath(path: string): Promise<void> {
  const before = look(path);
  if (before === undefined) return;
  if (!before.isSocket()) throw new StartError(`${path} exists and is not a socket: remove it or choose another path`);
  if (await answers(path)) {
    throw new StartError(`another process listens on unix://${path}: stop it or choose another path`);
  }
  // Another process may have started in between and put its own, live socket there.
  if (look(path)?.ino !== before.ino)
    throw new StartError(`another process just took unix://${path}: choose another path`);
  try {
    unlinkSync(path);
  } catch (cause) {
    throw new StartError(`cannot remove the stale socket ${path}: ${startFailure(cause)}`, cause);
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Only a refused connection proves that nobody listens; silence, or an error of another kind, does not. */
async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(answerDueMs, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error) => settle(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '')));
  });
}
