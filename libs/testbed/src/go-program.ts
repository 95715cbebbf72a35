import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, runOrFail } from './command.ts';
import { withLock } from './lock.ts';
import { step } from './progress.ts';
import { TestbedError } from './testbed-error.ts';

const buildTimeoutMs = 60 * 60_000;

export interface GoProgram {
  name: string;
  sourceDir: string;
  /** Given to the linker after -s -w. */
  ldflags?: readonly string[];
  /** Said in the progress line where the build takes long. */
  hint?: string;
}

export interface BuiltProgram {
  path: string;
  /** SHA-256 of the sources, hex. */
  key: string;
}

/** Builds a static Go program into `cache`/NAME/KEY/NAME, or finds it there from an earlier run with the same sources. */
export async function ensureGoProgram(cache: string, program: GoProgram): Promise<BuiltProgram> {
  const key = await sourceKey(program.sourceDir);
  const dir = join(cache, program.name, key.slice(0, 16));
  const path = join(dir, program.name);
  if (existsSync(path)) return { path, key };
  await mkdir(dir, { recursive: true });
  await withLock(
    `${dir}.lock`,
    async () => {
      if (!existsSync(path)) await build(program, path);
    },
    { onWait: (holder) => process.stderr.write(`waiting for ${holder}, which builds ${program.name}\n`) },
  );
  return { path, key };
}

/** SHA-256 over names and contents of all that goes into the program: Go files without tests, go.mod and go.sum. */
export async function sourceKey(sourceDir: string): Promise<string> {
  const isSource = (name: string) => name === 'go.mod' || name === 'go.sum' || /(?<!_test)\.go$/.test(name);
  const hash = createHash('sha256');
  for (const name of (await readdir(sourceDir)).filter(isSource).sort()) {
    const content = await readFile(join(sourceDir, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

async function build({ name, sourceDir, ldflags = [], hint }: GoProgram, path: string): Promise<void> {
  await requireGo(sourceDir);
  const unfinished = `${path}.${process.pid}`;
  const argv = ['go', 'build', '-trimpath', '-ldflags', ['-s', '-w', ...ldflags].join(' '), '-o', unfinished, '.'];
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
  try {
    await step(`building ${name}${hint === undefined ? '' : ` (${hint})`}`, () =>
      runOrFail(argv, { cwd: sourceDir, env, timeoutMs: buildTimeoutMs }),
    );
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Asked in the folder itself: a Go of 1.21 or newer may fetch the one that go.mod names. */
async function requireGo(sourceDir: string): Promise<void> {
  const wanted = /^go (\d+\.\d+)/m.exec(await readFile(join(sourceDir, 'go.mod'), 'utf8'))?.[1] ?? '1.26';
  const advice = `install Go ${wanted} or newer and put it on PATH`;
  const { code, stdout, stderr } = await runCommand(['go', 'version'], { cwd: sourceDir, timeoutMs: 300_000 }).catch(
    (cause: unknown) => {
      throw new TestbedError(`Go is needed to build ${sourceDir}: ${advice}`, { cause });
    },
  );
  if (code !== 0) throw new TestbedError(`Go does not run in ${sourceDir}: ${advice}\n${stderr.trim()}`);
  const found = /go(\d+\.\d+)/.exec(stdout)?.[1] ?? '0';
  if (found.localeCompare(wanted, undefined, { numeric: true }) < 0) {
    throw new TestbedError(`Go ${found} is too old to build ${sourceDir}: ${advice}`);
  }
}
