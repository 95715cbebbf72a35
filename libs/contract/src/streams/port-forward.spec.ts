import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError } from '../errors.ts';
import { ContractServer } from '../testing/contract-server.ts';

const call = { owner: 'c/n', session: 'S#1' };
const request = { podUID: 'u', namespace: 'ns', podName: 'p', port: 8080 };

describe.each(['directly', 'through a relay'])('a forwarded port, %s', (way) => {
  let sidecar: ContractServer;
  let front: ContractServer;
  /** What listens in the pod. */
  let server: Server;
  let accepted: Promise<Socket>;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    sidecar = await new ContractServer('sidecar').start();
    server = createServer({ allowHalfOpen: true });
    server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
    accepted = once(server, 'connection').then(([socket]) => socket as Socket);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    sidecar.handlers.portForward = async () =>
      connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    front = sidecar;
    if (way === 'directly') return;
    front = await new ContractServer('api').start();
    front.handlers.openStream = (route, query, key, { owner }) =>
      sidecar.client().openStream(route, query, key, { owner });
  });
  afterEach(async () => {
    await front.stop();
    if (front !== sidecar) await sidecar.stop();
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is asked for by its number', async () => {
    const asked: unknown[] = [];
    sidecar.handlers.portForward = async (what) => {
      asked.push(what);
      throw new InterlinkError('NotFound', 'pod not found');
    };
    await expect(front.client().portForward(request, call)).rejects.toMatchObject({ code: 'NotFound' });
    expect(asked).toEqual([request]);
  });

  it.each([0, 65_536, 1.5])('is no %d', async (port) => {
    await expect(front.client().portForward({ ...request, port }, call)).rejects.toMatchObject({
      code: 'Malformed',
      field: 'port',
    });
  });

  it('carries an answer after the end of the question', async () => {
    const connection = await front.client().portForward(request, call);
    const sent = Buffer.alloc(2 * 1024 * 1024, 'q');
    connection.end(sent);
    const pod = await accepted;
    expect((await buffer(pod)).equals(sent)).toBe(true);
    pod.end('answer');
    expect(await text(connection)).toBe('answer');
    if (!connection.closed) await once(connection, 'close');
    if (!pod.closed) await once(pod, 'close');
  });

  it('carries more of the question after the end of the answer', async () => {
    const connection = await front.client().portForward(request, call);
    const pod = await accepted;
    pod.end('early');
    expect(await text(connection)).toBe('early');
    connection.on('error', () => undefined);
    connection.write('still ');
    connection.end('talking');
    expect(await text(pod)).toBe('still talking');
  });

  it('gives all that was sent to a slow reader, though the pod has closed', async () => {
    const connection = await front.client().portForward(request, call);
    const pod = await accepted;
    const sent = Buffer.alloc(1024 * 1024, 'a');
    pod.end(sent, () => pod.destroy());
    await sleep(300);
    expect((await buffer(connection)).equals(sent)).toBe(true);
    connection.destroy();
  });

  it('is held up by a slow reader', async () => {
    const connection = await front.client().portForward(request, call);
    const pod = await accepted;
    let written = 0;
    const write = () => {
      if (written++ < 300) pod.write(Buffer.alloc(64 * 1024), () => setImmediate(write));
    };
    write();
    await sleep(300);
    const held = written;
    await sleep(200);
    expect(written).toBe(held);
    expect(held).toBeLessThan(200);
    connection.resume();
    while (written <= 300) await sleep(10);
    connection.destroy();
  });

  it('is lost with an error where there is nobody, or the service stops', async () => {
    const refused = new InterlinkError('Unavailable', 'connection refused');
    const open = sidecar.handlers.portForward;
    sidecar.handlers.portForward = async (...args) => {
      const connection = await open(...args);
      connection.once('connect', () => connection.destroy(refused));
      return connection;
    };
    const closed = await front.client().portForward(request, call);
    expect((await once(closed, 'error'))[0]).toMatchObject({ code: 'Unavailable', message: 'connection refused' });
    sidecar.handlers.portForward = open;
    const cut = await front.client().portForward(request, call);
    front.stopping.abort();
    expect((await once(cut, 'error'))[0]).toMatchObject({ code: 'Unavailable' });
  });

  it('ends for the pod when the caller goes', async () => {
    const hangUp = new AbortController();
    await front.client().portForward(request, { ...call, signal: hangUp.signal });
    const pod = await accepted;
    pod.resume();
    hangUp.abort();
    await once(pod, 'end');
  });
});
