import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from './process.ts';
import { waitFor } from './wait-for.ts';

describe('startProcess', () => {
  let dir: string;
  let logFile: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'process-'));
    logFile = join(dir, 'logs', 'x.log');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const log = () => readFile(logFile, 'utf8').catch(() => '');
  const shell = (script: string) => startProcess({ name: 'x', argv: ['sh', '-c', script], logFile });
  const isGone = (pid: number) =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
      (stat) => / [ZX] /.test(stat),
      () => true,
    );

  it('logs both outputs and tells how it ended', async () => {
    const process = await shell('echo out; echo err >&2; exit 3');
    expect(await process.exited).toEqual({ code: 3, signal: null });
    expect(await log()).toBe('out\nerr\n');
    expect(await process.stop(0)).toEqual({ code: 3, signal: null });
  });

  it('stops politely, and by force what takes no notice', async () => {
    const polite = await shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    await waitFor('ready', async () => (await log()).includes('ready'), { timeoutMs: 5000 });
    expect(await polite.stop(5000)).toEqual({ code: 7, signal: null });

    const deaf = await shell("trap '' TERM; echo deaf; while :; do sleep 0.01; done");
    await waitFor('deaf', async () => (await log()).includes('deaf'), { timeoutMs: 5000 });
    expect(await deaf.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it.each(['exit', 'SIGKILL'])('leaves no process behind when we end by %s', async (end) => {
    const source = new URL('process.ts', import.meta.url).href;
    const script = `
      import { startProcess } from ${JSON.stringify(source)};
      const child = await startProcess({ name: 'x', argv: ['sleep', '60'], logFile: ${JSON.stringify(logFile)} });
      process.stdout.write(String(child.pid));
      process.stdin.on('data', () => process.exit());`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    expect(await isGone(Number(pid))).toBe(false);
    if (end === 'exit') parent.stdin.write('go');
    else parent.kill('SIGKILL');
    await waitFor('the end', () => isGone(Number(pid)), { timeoutMs: 5000 });
  });
});
