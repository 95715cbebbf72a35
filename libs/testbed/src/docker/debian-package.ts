import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runOrFail } from '../command.ts';
import { step } from '../progress.ts';
import { aptGet } from './apt.ts';

/**
 * A program of a Debian package that is unpacked into the cache and not installed: installed it might throw out another
 * of the machine's, or start a service. `programs` are the paths where it may be; undefined: there is no apt here.
 */
export async function unpackedProgram(
  packageName: string,
  programs: readonly string[],
  cache: string,
  folder = packageName,
): Promise<string | undefined> {
  const kept = join(cache, folder);
  const unpacked = () => programs.map((program) => join(kept, program)).find((file) => existsSync(file));
  const program = unpacked();
  if (program !== undefined) return program;
  if (!existsSync('/usr/bin/apt-get')) return undefined;
  await mkdir(cache, { recursive: true });
  const dir = await mkdtemp(join(cache, `${folder}-`));
  try {
    await step(`fetching ${packageName}`, () => aptGet(['download', packageName], dir));
    const archive = (await readdir(dir)).find((name) => name.endsWith('.deb')) ?? '';
    await runOrFail(['dpkg-deb', '--extract', join(dir, archive), join(dir, 'root')]);
    await rm(kept, { recursive: true, force: true });
    await rename(join(dir, 'root'), kept);
    return unpacked();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
