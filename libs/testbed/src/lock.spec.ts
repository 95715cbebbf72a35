import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from './lock.ts';

describe('withLock', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const left = (holder: string) => mkdir(join(dir, 'lock')).then(() => writeFile(join(dir, 'lock', holder), ''));

  it('lets one in at a time and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await sleep(5);
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(join(dir, 'lock'), work)));
    expect(most).toBe(1);
    expect(await readdir(dir)).toEqual([]);
  });

  it('is given back when the work fails', async () => {
    await expect(withLock(join(dir, 'lock'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(join(dir, 'lock'), async () => 'in')).toBe('in');
  });

  it.each([
    ['a dead process', '4194999-1-0'],
    ['an earlier process of the same number', `${process.pid}-1-0`],
  ])('is taken from %s', async (_, holder) => {
    await left(holder);
    expect(await withLock(join(dir, 'lock'), async () => 'in')).toBe('in');
  });

  it('waits for a living holder no longer than told', async () => {
    await left(`${process.pid}--0`);
    const waited: string[] = [];
    const attempt = withLock(join(dir, 'lock'), async () => 'in', { timeoutMs: 1, onWait: (who) => waited.push(who) });
    await expect(attempt).rejects.toThrow(`held by ${process.pid}`);
    expect(waited).toEqual([`process ${process.pid}`]);
    expect(await readdir(dir)).toEqual(['lock']);
  });
});
