import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ask } from './testing/ask.ts';
import { createScratch } from './testing/scratch.ts';

const scratch = createScratch();
afterAll(() => scratch.remove());
const fixture = fileURLToPath(new URL('./testing/fixture-service.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly exit: Promise<{ code: number | null; out: string; err: string }>;
}

function run(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [fixture, ...args], {
    env: { ...env, NODE_NO_WARNINGS: '1' },
    timeout: 20_000,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, out: () => out, exit };
}

async function started({ child, out }: Run): Promise<void> {
  while (!out().includes('"msg":"started"')) await once(child.stdout ?? child, 'data');
}

const address = `unix://${scratch.folder}/s.sock`;
const config = (extra = '') => scratch.write('c.yaml', `listen: [{address: "${address}"}]\n${extra}`);

describe('arguments', () => {
  it('helps, tells its version, prints its schema and checks a file', async () => {
    const runs = await Promise.all(
      [['--help'], ['--version'], ['--print-config-schema'], ['--check', '--config', config()]].map(
        (args) => run(args).exit,
      ),
    );
    expect(runs.map(({ code, err }) => [code, err])).toEqual(Array.from({ length: 4 }, () => [0, '']));
    const [help, version, schema, check] = runs.map(({ out }) => out);
    expect(help).toContain('Usage: fixture-service --config FILE');
    expect(version).toBe('fixture-service 1.2.3\n');
    expect(JSON.parse(schema ?? '')).toMatchObject({ properties: { slow: { default: '300ms', type: 'string' } } });
    expect(check).toMatch(/c\.yaml: ok\n$/);
  });

  it('refuses wrong usage and wrong configuration with exit code 2', async () => {
    const file = scratch.write('bad.yaml', 'listen: [{address: "http://127.0.0.1:1"}]\nslwo: 1s\n');
    const [option, none, bad, variable] = await Promise.all([
      run(['--confg', 'x']).exit,
      run([]).exit,
      run([], { INTERLINK_CONFIG: file }).exit,
      run(['--config', config()], { FIXTURE_LEVEL: 'loud' }).exit,
    ]);
    expect(option).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Unknown option '--confg'.*see fixture-service --help/) as unknown,
    });
    expect(none).toMatchObject({
      code: 2,
      err: expect.stringContaining('use --config FILE or INTERLINK_CONFIG') as unknown,
    });
    expect(bad).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /bad\.yaml:1:10 listen\[0\]: a TCP listener without keys.*\n.*:2:1 slwo: unknown key; did you mean slow\?\n$/,
      ) as unknown,
    });
    expect(variable).toMatchObject({
      code: 2,
      err: expect.stringContaining('environment FIXTURE_LEVEL log.level: must be one of') as unknown,
    });
  });
});

describe('life', () => {
  it('ends with exit code 1 and one line when the port is busy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const keyFile = scratch.write('key', 'k'.repeat(32));
    const text = `listen: [{address: "http://127.0.0.1:${port}", keys: [{name: a, keyFile: ${keyFile}, owners: ["*"]}]}]\n`;
    const { code, err } = await run(['--config', scratch.write('busy.yaml', text)]).exit;
    other.close();
    expect(code).toBe(1);
    expect(err).toMatch(
      /^fixture-service: cannot start: cannot listen on .*the address is in use: stop the other process.*\n$/,
    );
  });

  it('drains on SIGTERM: the answer in flight arrives whole, exit code 0', async () => {
    const service = run(['--config', config()]);
    await started(service);
    const answer = ask(address, '/slow');
    await new Promise((resolve) => setTimeout(resolve, 100));
    service.child.kill('SIGTERM');
    expect((await answer).text).toBe('begin end');
    expect(await service.exit).toMatchObject({ code: 0, err: '' });
  });

  it('leaves at once at the second signal', async () => {
    const service = run(['--config', config('slow: 1h\n')]);
    await started(service);
    const answer = ask(address, '/slow').catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 100));
    service.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
    service.child.kill('SIGINT');
    expect(await answer).toBe('cut');
    expect((await service.exit).code).toBe(1);
  });

  it('does not live on after an error that nobody caught', async () => {
    const service = run(['--config', config()]);
    await started(service);
    await ask(address, '/stray').catch(() => undefined);
    const { code, out } = await service.exit;
    expect(code).toBe(1);
    expect(out).toMatch(/"level":"fatal".*nobody catches this/);
  });
});
