import { createServer, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { InterlinkError } from '@interlink/contract';
import { FakeReach } from '../testing/fake-reach.ts';
import { makeFact, makePod, sandbox } from '../testing/jobs.ts';
import { certificate } from '../testing/certificate.ts';
import { checkProbe } from './check.ts';
import { healthRequest, healthStatus } from './check-grpc.ts';
import { careFor, type Probe } from './settings.ts';

const servers: NetServer[] = [];
let engine = new FakeReach();
beforeEach(() => (engine = new FakeReach()));
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function listen(server: Server | Http2Server | NetServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function look(action: Record<string, unknown>, ports: object[] = [], timeoutMs = 2000): Promise<boolean | undefined> {
  const { spec } = makePod({ containers: [{ name: 'main', livenessProbe: action, ports }] });
  const [container] = spec.containers;
  const probe: Probe | undefined = container && careFor(container).probes.liveness;
  if (!container || !probe) throw new Error('no probe');
  const reach = { engine, sandbox: sandbox(), fact: makeFact({}), container, text: (text: string) => text };
  return checkProbe(reach, probe, AbortSignal.timeout(timeoutMs));
}

describe('an HTTP probe', () => {
  it.each([
    [200, true],
    [204, true],
    [399, true],
    [400, false],
    [503, false],
  ])('%i: %s', async (status, healthy) => {
    const port = await listen(createServer((_, response) => response.writeHead(status).end('x')));
    expect(await look({ httpGet: { port } })).toBe(healthy);
  });

  it('has the path, the headers and the host that are asked for', async () => {
    let seen: unknown;
    const server = createServer(({ url, headers }, response) => {
      seen = { url, host: headers.host, agent: headers['user-agent'], own: headers['x-own'], accept: headers.accept };
      response.end();
    });
    const port = await listen(server);
    const httpHeaders = [
      { name: 'Host', value: 'shop.example' },
      { name: 'X-Own', value: 'one' },
    ];
    expect(await look({ httpGet: { port, path: 'a/b?c=d', httpHeaders } })).toBe(true);
    expect(seen).toEqual({
      ...{ url: '/a/b?c=d', host: 'shop.example', own: 'one', accept: '*/*' },
      agent: expect.stringMatching(/^kube-probe\//),
    });
  });

  it('follows redirects within the host, takes others for an answer, and not for ever', async () => {
    const server = createServer(({ url }, response) => {
      const location = url === '/away' ? 'http://other.example/' : url === '/loop' ? '/loop' : '/broken';
      response.writeHead(url === '/broken' ? 500 : 302, { location }).end();
    });
    const port = await listen(server);
    expect(await look({ httpGet: { port, path: '/here' } })).toBe(false);
    expect(await look({ httpGet: { port, path: '/away' } })).toBe(true);
    expect(await look({ httpGet: { port, path: '/loop' } })).toBe(false);
  });

  it('finds its port by name, and says nothing where there is none', async () => {
    const port = await listen(createServer((_, response) => response.end()));
    const ports = [{ name: 'web', containerPort: port }];
    expect(await look({ httpGet: { port: 'web' } }, ports)).toBe(true);
    expect(await look({ httpGet: { port: 'nope' } }, ports)).toBeUndefined();
  });

  it('verifies no certificate', async () => {
    const port = await listen(createHttps(await certificate(), (_, response) => response.end()));
    expect(await look({ httpGet: { port, scheme: 'HTTPS' } })).toBe(true);
    expect(await look({ httpGet: { port, scheme: 'HTTP' } })).toBe(false);
  });

  it('fails where nobody listens, nobody answers, or too late', async () => {
    const port = await listen(createServer(() => undefined));
    expect(await look({ httpGet: { port } }, [], 200)).toBe(false);
    servers.splice(0).forEach((server) => server.close());
    expect(await look({ httpGet: { port: 1 } })).toBe(false);
  });
});

describe('a gRPC probe', () => {
  const answers = async (service: string, body: number[], code: string) => {
    const asked: Buffer[] = [];
    const server = createHttp2();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('data', (chunk: Buffer) => asked.push(chunk));
      stream.respond(
        { ':status': headers[':path'] === '/grpc.health.v1.Health/Check' ? 200 : 404 },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
      stream.end(Buffer.from([0, 0, 0, 0, body.length, ...body]));
    });
    const port = await listen(server);
    const healthy = await look({ grpc: { port, service } });
    return { healthy, asked: Buffer.concat(asked) };
  };

  it.each<[string, number[], string, boolean]>([
    ['SERVING', [0x08, 1], '0', true],
    ['NOT_SERVING', [0x08, 2], '0', false],
    ['UNKNOWN', [], '0', false],
    ['an unknown service', [], '5', false],
  ])('%s', async (_, body, code, healthy) => expect((await answers('', body, code)).healthy).toBe(healthy));

  it('names its service', async () => {
    const { asked } = await answers('shop', [0x08, 1], '0');
    expect([...asked]).toEqual([0, 0, 0, 0, 6, 0x0a, 4, ...Buffer.from('shop')]);
    expect(healthRequest('x'.repeat(200)).subarray(5, 8)).toEqual(Buffer.from([0x0a, 0xc8, 1]));
    expect(healthStatus(Buffer.from([0, 0]))).toBeUndefined();
  });
});

describe('a probe by a program', () => {
  it.each([
    [0, true],
    [1, false],
  ])('exit code %i: %s', async (exitCode, healthy) => {
    engine.answer = () => Promise.resolve({ exitCode });
    expect(await look({ exec: { command: ['test', '-e', 'x'] } })).toBe(healthy);
    expect(await look({ tcpSocket: { port: 80 } })).toBe(healthy);
    expect(engine.runs).toEqual(['main-main-0: test -e x', 'sandbox--0: /sandbox reach 80 172.17.0.2']);
  });

  it('says nothing when the engine does not answer', async () => {
    engine.answer = () => Promise.reject(new InterlinkError('Unavailable', 'gone'));
    expect(await look({ exec: { command: ['true'] } })).toBeUndefined();
  });

  it('fails when it takes too long', async () => {
    engine.answer = (_id, _argv, signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new InterlinkError('Unavailable', 'cut'))),
      );
    expect(await look({ exec: { command: ['sleep', '9'] } }, [], 50)).toBe(false);
  });
});
