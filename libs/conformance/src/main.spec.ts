import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resultSchema } from './result.ts';
import { classicPlugin, FakeTarget } from './testing/fake-target.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));
let folder: string;
let target: FakeTarget;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conformance-cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

function start(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, NODE_OPTIONS: '' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), output }));
  return { child, ended };
}

it('ends with 2 and says why where it is used wrongly', async () => {
  const output = expect.stringContaining('give either --url or --socket (see --help)');
  expect(await start().ended).toMatchObject({ code: 2, output });
});

describe('with a target', () => {
  beforeEach(async () => {
    target = await FakeTarget.start(classicPlugin({ '/getLogs': () => ({ body: '<another> "line" & more' }) }));
  });
  afterEach(() => target.stop());

  it('prints each row and the counts, writes the files, and ends with 1 where a row failed', async () => {
    const [json, junit] = [join(folder, 'r.json'), join(folder, 'r.xml')];
    const files = ['--json', json, '--junit', junit];
    const { code, output } = await start('--socket', target.socket, ...files, '--only', 'classic.ping', 'classic.logs')
      .ended;
    expect(code).toBe(1);
    expect(output).toMatch(/passed {3}classic\.ping .*\nfailed {3}classic\.logs .*\n {9}the line is not in the log/);
    expect(output).toContain('1 passed, 1 failed, 0 skipped (profile classic, leg sidecar)');
    expect(resultSchema.parse(JSON.parse(await readFile(json, 'utf8')))).toMatchObject({ passed: 1, failed: 1 });
    expect(await readFile(junit, 'utf8')).toMatch(/failures="1"[^]*<failure message="[^"<]*&lt;another&gt;[^"<]*"\/>/);
  });

  it('ends with 0 where all rows passed, and with 1 where none was run', async () => {
    expect(await start('--socket', target.socket, '--only', 'classic.ping').ended).toMatchObject({ code: 0 });
    expect(await start('--socket', target.socket, '--only', 'events').ended).toMatchObject({ code: 1 });
  });
});

it('deletes what it has created when it is interrupted', async () => {
  target = await FakeTarget.start(classicPlugin({ '/status': () => ({ body: [] }) }));
  const { child, ended } = start('--socket', target.socket, '--only', 'classic.delete');
  try {
    while (target.uids('/create').size < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { code, output } = await ended;
    expect(code).toBe(1);
    expect(output).toContain('interrupted');
    expect(target.uids('/delete')).toEqual(target.uids('/create'));
  } finally {
    child.kill('SIGKILL');
    await target.stop();
  }
});
