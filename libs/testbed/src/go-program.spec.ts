import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceKey } from './go-program.ts';

describe('sourceKey', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'go-'));
    await writeFile(join(dir, 'main.go'), 'package main');
    await writeFile(join(dir, 'go.mod'), 'module x');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is the same for the same sources, whatever else lies beside them', async () => {
    const before = await sourceKey(dir);
    await writeFile(join(dir, 'main_test.go'), 'package main');
    await writeFile(join(dir, 'README.md'), 'x');
    expect(await sourceKey(dir)).toBe(before);
  });

  it.each(['main.go', 'go.mod', 'go.sum', 'other.go'])('changes with %s', async (name) => {
    const before = await sourceKey(dir);
    await writeFile(join(dir, name), 'package main // changed');
    expect(await sourceKey(dir)).not.toBe(before);
  });
});
