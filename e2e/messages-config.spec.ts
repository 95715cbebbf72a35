import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runService } from './support/service-process.ts';

/** What each service needs beside its listeners; DIR is a folder of the test's own. */
const needed: Record<string, string[]> = {
  'vk-node': ['node:', '  name: n1', 'kubeconfig: DIR/kubeconfig', 'api:', '  endpoint: unix://DIR/api.sock'],
  'interlink-api': ['sidecar:', '  site: s1', '  endpoint: unix://DIR/sidecar.sock'],
  'docker-sidecar': ['engineSocket: DIR/no-engine.sock', 'spool: DIR/spool', 'sandboxImage: interlink-sandbox:1'],
};

/** App, lines with one mistake, the line it stands in (1 = the first), the key and what is said of it. */
const mistakes: [string, string[], number, string, string][] = [
  ['vk-node', ['node:', '  nmae: n1', '  name: n1'], 2, 'node.nmae', 'unknown key; did you mean name?'],
  ['vk-node', ['pingIntervall: 10s'], 1, 'pingIntervall', 'unknown key; did you mean pingInterval?'],
  [
    'interlink-api',
    ['sidecar:', '  site: s1', '  endpont: unix:///x.sock'],
    3,
    'sidecar.endpont',
    'did you mean endpoint?',
  ],
  ['docker-sidecar', ['capacity:', '  cpus: "4"'], 2, 'capacity.cpus', 'unknown key; did you mean cpu?'],
  ['docker-sidecar', ['spool: relative/path'], 1, 'spool', 'absolute'],
];

const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 'none' } }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
});

describe('a service that cannot start says why and what to do', () => {
  let dir: string;
  const servers: Server[] = [];
  const occupy = async (where: ListenOptions) => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve));
    return server.address() as AddressInfo;
  };
  const run = (app: string, lines: readonly string[]) => runService(app, lines.join('\n').replaceAll('DIR', dir), dir);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlink-messages-'));
    await writeFile(join(dir, 'kubeconfig'), kubeconfig, { mode: 0o600 });
    await writeFile(join(dir, 'key'), 'k'.repeat(32), { mode: 0o600 });
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await rm(dir, { recursive: true, force: true });
  });

  it.each(mistakes)('%s with a mistake in its configuration (%#)', async (app, lines, line, key, what) => {
    // What is missing beside it is said too, each in a line of its own.
    const { code, stdout, stderr, file } = await run(app, lines);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const said = stderr.trimEnd().split('\n');
    expect(said.every((text) => text.startsWith(`${file}:`))).toBe(true);
    const own = said.filter((text) => text.includes(` ${key}: `));
    expect(own).toHaveLength(1);
    expect(own[0]).toContain(`${file}:${line}:`);
    expect(own[0]).toContain(what);
  });

  it.each(Object.keys(needed))('%s on a TCP port that is taken', async (app) => {
    const { port } = await occupy({ host: '127.0.0.1', port: 0 });
    const key = '{ name: someone, keyFile: DIR/key, owners: ["*"] }';
    const listen = ['listen:', `  - address: http://127.0.0.1:${port}`, `    keys: [${key}]`];
    const { code, stderr } = await run(app, [...listen, ...(needed[app] ?? [])]);
    expect(code).toBe(1);
    // One line, no stack trace.
    expect(stderr).toMatch(
      /^\S+: cannot start: cannot listen on http:.*: stop the other process or choose another address\n$/,
    );
    expect(stderr).toContain(`${app}: cannot start: cannot listen on http://127.0.0.1:${port}: `);
  });

  it.each(Object.keys(needed))('%s on a socket where another process listens', async (app) => {
    const path = join(dir, `${app}-taken.sock`);
    await occupy({ path });
    const { code, stderr } = await run(app, ['listen:', `  - address: unix://${path}`, ...(needed[app] ?? [])]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${app}: cannot start: another process listens on unix://${path}: stop it or choose another path\n`,
    );
  });

  it.each(Object.keys(needed))('%s on a TCP port without a key: refused, with what to add', async (app) => {
    const { code, stderr } = await run(app, ['listen:', '  - address: http://127.0.0.1:0', ...(needed[app] ?? [])]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/:2:\d+ listen\[0\]: .*add keys/);
  });

  it('vk-node without a kubeconfig that it could use: which file, and why', async () => {
    const lines = (needed['vk-node'] ?? []).map((line) => line.replace('DIR/kubeconfig', 'DIR/absent'));
    const { code, stderr } = await run('vk-node', ['listen:', '  - address: unix://DIR/own.sock', ...lines]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vk-node: cannot start: .*\/absent/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
