import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './cache.ts';
import { runOrFail } from './command.ts';
import { withLock } from './lock.ts';
import { step } from './progress.ts';

const version = '4.32.5';

/** The program that makes requests up from an OpenAPI document, in a Python environment of its own, which is cached. */
export async function ensureSchemathesis(cache = cacheDir()): Promise<string> {
  const folder = join(cache, 'schemathesis', version);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await mkdir(join(cache, 'schemathesis'), { recursive: true });
  return await withLock(join(cache, 'schemathesis.lock'), async () => {
    if (existsSync(program)) return program;
    try {
      await step('installing schemathesis', async () => {
        await runOrFail(['python3', '-m', 'venv', folder], { timeoutMs: 120_000 });
        const pip = join(folder, 'bin', 'pip');
        await runOrFail([pip, 'install', '--quiet', `schemathesis==${version}`], { timeoutMs: 600_000 });
      });
    } catch (error) {
      // Half an environment would be taken for a whole one.
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return program;
  });
}
