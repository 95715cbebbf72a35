import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import {
  bindSidecar,
  ContractClient,
  InterlinkError,
  type ClientOptions,
  type CommandStreams,
  type SiteEvent,
} from '@interlink/contract';
import { ownerOf } from './caller.ts';
import { listenSchema } from './listen.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startServer, type RunningServer } from './server.ts';
import { createServiceApp } from './service-app.ts';
import { testCertificate } from './testing/certificates.ts';
import { createScratch } from './testing/scratch.ts';

const scratch = createScratch();
const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });
const request = {
  ...{ podUID: 'u', namespace: 'ns', podName: 'p', containerName: 'c', command: ['id'] },
  ...{ stdin: false, stdout: true, stderr: false, tty: false },
};

let ran: string[] = [];
let stop = new AbortController();
const servers: RunningServer[] = [];
beforeEach(() => {
  ran = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(() => scratch.remove());

/** A command that says for whom it runs, and ends when it is told. */
const command = (owner: string): CommandStreams => {
  ran.push(owner);
  const stdout = new PassThrough();
  stdout.write(owner);
  const outcome = Promise.withResolvers<{ error: InterlinkError }>();
  const close = () => {
    stdout.end();
    outcome.resolve({ error: new InterlinkError('Unavailable', 'hung up') });
  };
  return { stdin: undefined, stdout, stderr: undefined, resize: () => undefined, outcome: outcome.promise, close };
};

async function start(listener: unknown): Promise<{ address: string; metrics: () => Promise<string> }> {
  const metrics = createMetrics({ processMetrics: false });
  const absent = () => Promise.reject(new InterlinkError('NotFound', 'not here'));
  // eslint-disable-next-line require-yield -- a stream that ends before its first line
  const events = async function* (): AsyncGenerator<SiteEvent> {
    await absent();
  };
  const rest = {
    ...{ create: absent, delete: absent, status: absent, ping: absent, logs: absent, capabilities: absent },
    ...{ update: absent, stats: absent, attach: absent, portForward: absent, events },
  };
  const app = createServiceApp({
    ...{ name: 'spec', version: '0', log, metrics },
    ready: () => undefined,
    mount: (router) =>
      bindSidecar(
        router,
        { ...rest, exec: async (_request, { owner }) => command(owner) },
        { ownerOf, bodyLimit: 1000, service: { name: 'spec', stopping: stop.signal } },
      ),
  });
  const server = await startServer({ listen: listenSchema.parse([listener]), app, log, drainMs: 2000 });
  servers.push(server);
  return { address: server.addresses[0] ?? '', metrics: () => metrics.registry.metrics() };
}

async function exec(endpoint: string, options: Partial<ClientOptions> = {}, owner?: string): Promise<string> {
  const client = new ContractClient({ leg: 'sidecar', peer: 'spec', endpoint, ...options });
  const streams = await client.exec(request, owner === undefined ? {} : { owner });
  setTimeout(() => stop.abort(), 50);
  return text(streams.stdout ?? new PassThrough().end());
}

describe('who may open a stream', () => {
  it('on a unix socket: for the owners of the listener', async () => {
    const { address } = await start({ address: `unix://${scratch.folder}/s`, owners: ['c/n'] });
    await expect(exec(address, {}, 'other/n')).rejects.toMatchObject({ code: 'Denied' });
    expect(ran).toEqual([]);
    expect(await exec(address, {}, 'c/n')).toBe('c/n');
  });

  it('with a key: who has it, for its owners', async () => {
    const key = 'k'.repeat(40);
    const keys = [{ name: 'vk', keyFile: scratch.write('key', key), owners: ['c/n'] }];
    const { address, metrics } = await start({ address: 'http://127.0.0.1:0', keys });
    const bearer = async () => key;
    await expect(exec(address)).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(exec(address, { bearer: async () => `${key}k` })).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(exec(address, { bearer }, 'other/n')).rejects.toMatchObject({ code: 'Denied' });
    expect(ran).toEqual([]);
    expect(await exec(address, { bearer })).toBe('c/n');
    // Refused or not, they are counted as all requests are.
    expect(await metrics()).toMatch(
      /interlink_http_requests_seconds_count\{route="exec",method="GET",status="401"\} 2/,
    );
    const opened = 'interlink_http_requests_seconds_count{route="exec",method="GET",status="101"} 1';
    while (!(await metrics()).includes(opened)) await delay(10);
  });

  it('with a client certificate: whom the config names', async () => {
    const ca = testCertificate('ca', []);
    const own = testCertificate('server', ['IP:127.0.0.1'], ca);
    const tls = {
      certFile: scratch.write('crt', own.cert),
      keyFile: scratch.write('pem', own.key),
      clientCaFile: scratch.write('ca', ca.cert),
    };
    const clients = [{ name: 'api', san: 'DNS:api', owners: ['c/n'] }];
    const { address } = await start({ address: 'https://127.0.0.1:0', tls, clients });
    const known = testCertificate('api', ['DNS:api'], ca);
    const unknown = testCertificate('else', ['DNS:else'], ca);
    await expect(exec(address, { tls: { ca: ca.cert } })).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(exec(address, { tls: { ca: ca.cert, cert: unknown.cert, key: unknown.key } })).rejects.toMatchObject({
      code: 'Unauthenticated',
    });
    expect(ran).toEqual([]);
    expect(await exec(address, { tls: { ca: ca.cert, cert: known.cert, key: known.key } })).toBe('c/n');
    await expect(exec(address)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('an upgrade', () => {
  it('ends with the service, long before the end of the drain', async () => {
    const { address } = await start({ address: `unix://${scratch.folder}/t` });
    await exec(address);
    const begun = performance.now();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    expect(performance.now() - begun).toBeLessThan(1500);
  });

  it('to anything else is answered as an ordinary request', async () => {
    await start({ address: `unix://${scratch.folder}/u` });
    const socket = connect(`${scratch.folder}/u`);
    socket.end('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('that is refused is answered, and its connection ended', async () => {
    await start({ address: `unix://${scratch.folder}/v` });
    const socket = connect(`${scratch.folder}/v`);
    socket.write('GET /exec?x=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"Malformed"');
    expect(ran).toEqual([]);
  });
});
