import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError } from '../errors.ts';
import { ContractServer } from '../testing/contract-server.ts';
import { MemoryCommand } from '../testing/memory-command.ts';
import type { ExecRequest } from './stream-requests.ts';

const call = { owner: 'c/n', session: 'S#1' };
const request: ExecRequest = {
  podUID: 'u',
  namespace: 'ns',
  podName: 'p',
  containerName: 'main',
  command: ['sh', '-c', 'echo "a & b"; ls ?*', ''],
  stdin: true,
  stdout: true,
  stderr: true,
  tty: false,
};

const chunks = 300;

/** Writes 64 KiB again and again, as fast as they are taken. @returns how many were. */
function writeOn(output: Writable): () => number {
  const chunk = Buffer.alloc(64 * 1024);
  let given = 0;
  const write = () => {
    if (given++ < chunks) output.write(chunk, () => setImmediate(write));
  };
  write();
  return () => given - 1;
}

/** The sidecar alone, and behind a server that relays. */
describe.each(['directly', 'through a relay'])('a command, %s', (way) => {
  let sidecar: ContractServer;
  let front: ContractServer;
  let command: MemoryCommand;
  beforeEach(async () => {
    command = new MemoryCommand();
    sidecar = await new ContractServer('sidecar').start();
    sidecar.handlers.exec = async () => command;
    front = sidecar;
    if (way === 'directly') return;
    front = await new ContractServer('api').start();
    front.handlers.openStream = (route, query, key, { owner, session }) =>
      sidecar.client().openStream(route, query, key, { owner, session });
  });
  afterEach(async () => {
    await front.stop();
    if (front !== sidecar) await sidecar.stop();
  });

  it('is asked for with every parameter, owner and session', async () => {
    const asked: unknown[] = [];
    sidecar.handlers.exec = async (what, { owner, session }) => {
      asked.push(what, owner, session);
      return command;
    };
    (await front.client().exec(request, call)).close();
    expect(asked).toEqual([request, 'c/n', 'S#1']);
    await command.closed;
  });

  it('gives its outputs and its exit code', async () => {
    const streams = await front.client().exec(request, call);
    command.stdout.write('out');
    command.stderr.write('err');
    command.end({ exitCode: 7 });
    expect(
      await Promise.all([
        streams.outcome,
        text(streams.stdout ?? Readable.from([])),
        text(streams.stderr ?? Readable.from([])),
      ]),
    ).toEqual([{ exitCode: 7 }, 'out', 'err']);
  });

  it('takes stdin to its end, and sizes', async () => {
    const streams = await front.client().exec(request, call);
    streams.resize({ width: 100, height: 40 });
    const sent = Buffer.alloc(3 * 1024 * 1024, 'x');
    streams.stdin?.end(sent);
    // Not toEqual, which takes seconds for so many bytes.
    expect((await buffer(command.stdin)).equals(sent)).toBe(true);
    expect(command.sizes).toEqual([{ width: 100, height: 40 }]);
    command.end({ exitCode: 0 });
    streams.stdout?.resume();
    streams.stderr?.resume();
    expect(await streams.outcome).toEqual({ exitCode: 0 });
  });

  it('ends one output before the other', async () => {
    const streams = await front.client().exec(request, call);
    command.stdout.end('done');
    expect(await text(streams.stdout ?? Readable.from([]))).toBe('done');
    command.stderr.write('still here');
    expect(String((await once(streams.stderr ?? command.stderr, 'data'))[0])).toBe('still here');
    streams.close();
  });

  it('is held up by a reader that is slow, and by one output that nobody reads', async () => {
    const streams = await front.client().exec(request, call);
    const given = writeOn(command.stdout);
    await sleep(300);
    // Sockets and buffers on the way hold some; all would be 19 MiB.
    expect(given()).toBeLessThan(60);
    streams.stdout?.resume();
    while (given() < 100) await sleep(10);
    streams.stdout?.pause();
    writeOn(command.stderr);
    await sleep(300);
    streams.stdout?.resume();
    await sleep(300);
    const before = given();
    await sleep(200);
    expect(given()).toBe(before);
    streams.stderr?.resume();
    while (given() < chunks) await sleep(10);
    streams.close();
  });

  it('does not take stdin faster than it reads', async () => {
    const streams = await front.client().exec(request, call);
    const given = writeOn(streams.stdin ?? command.stdin);
    await sleep(300);
    expect(given()).toBeLessThan(60);
    command.stdin.resume();
    while (given() < chunks) await sleep(10);
    streams.close();
  });

  it('that ends while stdin is full, ends for the caller too', async () => {
    const streams = await front.client().exec(request, call);
    const chunk = Buffer.alloc(64 * 1024);
    for (let count = 0; count < 100; count++) streams.stdin?.write(chunk);
    await sleep(100);
    streams.stdout?.resume();
    streams.stderr?.resume();
    command.stdin.destroy();
    command.end({ exitCode: 3 });
    expect(await streams.outcome).toEqual({ exitCode: 3 });
  });

  it('refused before it runs is an ordinary error', async () => {
    sidecar.handlers.exec = () => Promise.reject(new InterlinkError('Invalid', 'no such thing', { field: 'command' }));
    await expect(front.client().exec(request, call)).rejects.toMatchObject({
      code: 'Invalid',
      message: 'no such thing',
      field: 'command',
    });
  });

  it('hands on an error of its own in the outcome', async () => {
    const streams = await front.client().exec({ ...request, stdout: false, stderr: false }, call);
    command.end({ error: new InterlinkError('Unavailable', 'the engine went away') });
    expect(await streams.outcome).toMatchObject({ error: { code: 'Unavailable', message: 'the engine went away' } });
  });

  it('is hung up with its caller', async () => {
    const hangUp = new AbortController();
    const streams = await front.client().exec(request, { ...call, signal: hangUp.signal });
    hangUp.abort();
    await command.closed;
    expect(await streams.outcome).toMatchObject({ error: { code: 'Unavailable' } });
  });

  it('is cut with an error when the service stops', async () => {
    const streams = await front.client().exec(request, call);
    command.stdout.write('so far');
    await once(streams.stdout ?? command.stdout, 'readable');
    sidecar.stopping.abort();
    expect(await text(streams.stdout ?? Readable.from([]))).toBe('so far');
    streams.stderr?.resume();
    expect(await streams.outcome).toMatchObject({
      error: { code: 'Unavailable', message: expect.stringContaining('sidecar is stopping') },
    });
    await command.closed;
  });

  it('is cut with an error when the server in between stops', async () => {
    const streams = await front.client().exec({ ...request, stdout: false, stderr: false }, call);
    front.stopping.abort();
    expect(await streams.outcome).toMatchObject({ error: { code: 'Unavailable' } });
    await command.closed;
  });
});

describe('a request for a stream', () => {
  let server: ContractServer;
  let ran = 0;
  beforeAll(async () => {
    server = await new ContractServer('sidecar').start();
    server.handlers.exec = async () => {
      ran++;
      return new MemoryCommand();
    };
  });
  afterAll(() => server.stop());

  const query = '?podUID=u&namespace=n&podName=p&containerName=c&command=ls&stdout=true';
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'v5.channel.k8s.io',
  };

  it.each([
    ['without an upgrade', query, {}, undefined],
    ['of another protocol', query, { ...handshake, 'Sec-WebSocket-Protocol': 'v4.channel.k8s.io' }, undefined],
    [
      'with two protocols of one name',
      query,
      { ...handshake, 'Sec-WebSocket-Protocol': 'v5.channel.k8s.io, v5.channel.k8s.io' },
      undefined,
    ],
    ['without a key', query, { ...handshake, 'Sec-WebSocket-Key': '' }, undefined],
    ['of another version', query, { ...handshake, 'Sec-WebSocket-Version': '8' }, undefined],
    ['with a body', query, handshake, '{}'],
    ['for another upgrade', query, { ...handshake, Upgrade: 'tcp' }, undefined],
    ['without a command', query.replace('command=ls', ''), handshake, undefined],
    ['without a pod', query.replace('podUID=u', 'podUID='), handshake, undefined],
    ['without any stream', query.replace('stdout=true', 'stdout=false'), handshake, undefined],
    ['with nonsense', query.replace('stdout=true', 'stdout=yes'), handshake, undefined],
  ])('%s is refused, and nothing runs', async (_, path, headers, sent) => {
    const { status, text: body } = await server.send('GET', `/exec${path}`, sent, headers);
    expect([status, JSON.parse(body)]).toEqual([400, expect.objectContaining({ code: 'Malformed' })]);
    expect(ran).toBe(0);
  });

  it('with a command that no server would take is not even sent', async () => {
    const command = ['x'.repeat(60_000)];
    await expect(server.client().exec({ ...request, command }, call)).rejects.toMatchObject({ code: 'TooLarge' });
  });

  it('an upgrade to anything else is an ordinary request', async () => {
    const { status } = await server.send('GET', '/capabilities', undefined, handshake);
    expect(status).toBe(200);
  });

  it('at a classic plugin says what the site has not got', async () => {
    const { createServer } = await import('node:http');
    const classic = createServer((_request, response) => response.writeHead(404).end('404 page not found'));
    await new Promise<void>((resolve) => classic.listen(`${server.socket}2`, resolve));
    const client = server.client({ endpoint: `unix://${server.socket}2` });
    await expect(client.exec(request, call)).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('this site has no exec'),
    });
    await expect(client.openStream('attach', '', 'k', call)).rejects.toMatchObject({ code: 'NotFound' });
    await new Promise((resolve) => classic.close(resolve));
    await expect(client.exec(request, call)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(client.openStream('exec', '', 'k', call)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('has a deadline for its handshake alone', async () => {
    server.handlers.attach = async () => {
      await sleep(1000);
      throw new InterlinkError('Unavailable', 'too late');
    };
    const client = server.client({ timeoutMs: 100 });
    await expect(client.attach(request, call)).rejects.toMatchObject({ code: 'Unavailable' });
    const open = await client.exec(request, call);
    await sleep(200);
    open.close();
  });
});
