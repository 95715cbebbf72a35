import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PullRecords } from './pull-records.ts';

const alice = { username: 'alice', password: 'secret-of-alice' };
const bob = { username: 'bob', password: 'secret-of-bob' };

describe('who may use an image', () => {
  let folder: string;
  let records: PullRecords;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pull-records-'));
    records = await PullRecords.open(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** What must hold, now and after a restart. */
  async function both(check: (records: PullRecords) => void): Promise<void> {
    check(records);
    check(await PullRecords.open(folder));
  }

  it('that never came with credentials: everybody', async () => {
    await records.pulled('i', 'r/a', undefined);
    await both((one) => expect(one.allows('i', 'r/a', [])).toBe(true));
  });

  it('that came with credentials: those alone whose own were taken, under the name by which it came', async () => {
    await records.begin('r/a');
    await records.pulled('i', 'r/a', alice);
    await both((one) => {
      expect(one.allows('i', 'r/a', [alice])).toBe(true);
      expect(one.allows('i', 'r/a', [bob, alice])).toBe(true);
      expect(one.allows('i', 'r/a', [bob])).toBe(false);
      expect(one.allows('i', 'r/a', [])).toBe(false);
      expect(one.allows('i', 'docker.io/library/sha256', [alice])).toBe(false);
      expect(one.allows('another', 'r/a', [])).toBe(true);
    });
    await records.begin('r/a');
    await records.pulled('i', 'r/a', bob);
    await both((one) => expect(one.allows('i', 'r/a', [bob])).toBe(true));
  });

  it('that the engine had under another name before: under that one everybody', async () => {
    await records.begin('r/a');
    await records.pulled('i', 'r/a', alice, ['r/a', 'docker.io/library/busybox']);
    await both((one) => {
      expect(one.allows('i', 'docker.io/library/busybox', [])).toBe(true);
      expect(one.allows('i', 'r/a', [])).toBe(false);
    });
  });

  it('that the registry gives to anyone after all: everybody', async () => {
    await records.begin('r/a');
    await records.pulled('i', 'r/a', alice);
    await records.pulled('i', 'r/a', undefined);
    await both((one) => expect(one.allows('i', 'r/a', [])).toBe(true));
  });

  it('that a pull may just have brought, or one that a crash cut off: nobody unasked', async () => {
    await records.begin('r/a');
    await records.begin('r/a');
    await both((one) => {
      expect(one.allows('new', 'r/a', [alice])).toBe(false);
      expect(one.allows('new', 'r/b', [])).toBe(true);
    });
    await records.fail('r/a');
    expect(records.allows('new', 'r/a', [])).toBe(false);
    await records.fail('r/a');
    await both((one) => expect(one.allows('new', 'r/a', [])).toBe(true));
  });

  it('is kept for this user alone, without the credentials', async () => {
    await records.begin('r/a');
    await records.pulled('i', 'r/a', alice);
    const path = join(folder, 'pulled-images.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain('alice');
    await writeFile(path, text.slice(1));
    await expect(PullRecords.open(folder)).rejects.toMatchObject({ code: 'Internal' });
  });
});
