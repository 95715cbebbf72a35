import { mkdir, readFile, readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestbedError } from './testbed-error.ts';

let taken = 0;

export interface LockOptions {
  /** How long to wait for another holder. Default 30 min, longer than any build. */
  timeoutMs?: number;
  /** Told once where another one holds the lock. */
  onWait?: (holder: string) => void;
}

/**
 * Runs `work` while no other process, and no other call in this one, does so with the same path. A holder that died
 * without giving the lock back does not count.
 *
 * The lock is a folder with one file that is named after its holder. It is taken by renaming a ready-made one onto its
 * place, which succeeds only where there is nothing or an empty folder, and a dead holder's is emptied by that holder's
 * name: so two that find it stale at once cannot both take it, nor throw out a third.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { timeoutMs = 30 * 60_000, onWait } = options;
  const token = `${process.pid}-${(await startTime(process.pid)) ?? ''}-${taken++}`;
  await mkdir(dirname(path), { recursive: true });
  const deadline = performance.now() + timeoutMs;
  for (let waits = 0; !(await take(path, token)); waits++) {
    const holder = await holderOf(path);
    if (holder !== undefined && !(await isAlive(holder))) {
      await unlink(join(path, holder)).catch(ignore('ENOENT'));
      continue;
    }
    if (waits === 0) onWait?.(`process ${holder?.split('-')[0] ?? '?'}`);
    if (performance.now() > deadline)
      throw new TestbedError(`${path} is held by ${holder ?? 'nobody known'}; remove it`);
    await sleep(100 + Math.random() * 100);
  }
  try {
    return await work();
  } finally {
    await unlink(join(path, token)).catch(ignore('ENOENT'));
    await rmdir(path).catch(ignore('ENOENT', 'ENOTEMPTY'));
  }
}

async function take(path: string, token: string): Promise<boolean> {
  const ready = `${path}.${token}`;
  await mkdir(ready, { recursive: true });
  try {
    await writeFile(join(ready, token), '');
    await rename(ready, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(ready, { recursive: true, force: true });
  }
}

async function holderOf(path: string): Promise<string | undefined> {
  const [holder] = await readdir(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  return holder;
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid = '', started = ''] = holder.split('-');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
  // The number may have gone to another process since, after a reboot above all.
  return started === '' || started === (await startTime(Number(pid)));
}

/** In clock ticks since the boot; undefined where the system does not say. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in brackets, which may hold blanks and brackets itself.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function ignore(...codes: string[]): (error: unknown) => void {
  return (error) => {
    if (!hasCode(error, ...codes)) throw error;
  };
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return typeof error.code === 'string' && codes.includes(error.code);
}
