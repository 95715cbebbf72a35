import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobRecord } from './job.ts';
import { Spool } from './spool.ts';

const parent = mkdtempSync(join(tmpdir(), 'il-'));
afterAll(() => rmSync(parent, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(() => (folder = join(parent, `${count++}`, 'spool')));

const record = (uid: string, owner = 'c/n', jobId = ''): JobRecord => ({
  owner,
  uid,
  namespace: 'ns',
  name: 'p',
  state: 'accepted',
  jobId,
  acceptedAt: 1,
});
const none = () => {
  throw new Error('unreadable');
};
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('Spool', () => {
  it('is for its owner alone', async () => {
    const spool = await Spool.open(folder);
    await spool.save(record('u'));
    const files = readdirSync(folder);
    expect(files).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.json$/)]);
    expect([mode(folder), mode(join(folder, files[0] ?? ''))]).toEqual(['700', '600']);
  });

  it('gives back what was saved last, for each owner and UID', async () => {
    const spool = await Spool.open(folder);
    await spool.save(record('../u'));
    await spool.save(record('../u', 'c/n', '7'), false);
    await spool.save(record('../u', 'd/n'));
    await spool.save(record('v'));
    await spool.remove(record('v'));
    const found = await (await Spool.open(folder)).load(none);
    expect(found.map(({ owner, jobId }) => [owner, jobId]).sort()).toEqual([
      ['c/n', '7'],
      ['d/n', ''],
    ]);
    expect(readdirSync(join(folder, '..'))).toEqual(['spool']);
  });

  it('removes what a crash left half-written, and keeps what the rename had replaced', async () => {
    const spool = await Spool.open(folder);
    await spool.save(record('u', 'c/n', '7'));
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, `${file}.1-0.tmp`), '{"owner":');
    expect(await spool.load(none)).toEqual([record('u', 'c/n', '7')]);
    expect(readdirSync(folder)).toEqual([file]);
  });

  it.each(['', '{"owner":', '{}', '[]', 'null', '{"owner":"c/n","uid":"u","state":"paused"}'])(
    'reports the file %j, leaves it alone and loads the others',
    async (text) => {
      const spool = await Spool.open(folder);
      await spool.save(record('u'));
      const bad = join(folder, 'bad.json');
      writeFileSync(bad, text);
      const reported: string[] = [];
      expect(await spool.load((file) => reported.push(file))).toEqual([record('u')]);
      expect(reported).toEqual([bad]);
      expect(readFileSync(bad, 'utf8')).toBe(text);
    },
  );

  it('does not mind files of others', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'README'), 'hands off');
    expect(await (await Spool.open(folder)).load(none)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['README']);
  });

  it('leaves nothing behind when it cannot save', async () => {
    const spool = await Spool.open(folder);
    await spool.save(record('u'));
    const [file = ''] = readdirSync(folder);
    rmSync(join(folder, file));
    mkdirSync(join(folder, file));
    await expect(spool.save(record('u'))).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([file]);
  });

  it('says which folder cannot be made', async () => {
    writeFileSync(join(parent, 'file'), '');
    chmodSync(join(parent, 'file'), 0o600);
    const inside = join(parent, 'file', 'spool');
    await expect(Spool.open(inside)).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringContaining(inside) as string,
    });
  });
});
