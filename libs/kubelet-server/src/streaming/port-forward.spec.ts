import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createWebSocketStream } from 'ws';
import { InterlinkError } from '@interlink/contract';
import { TestCertificates } from '../testing/certificates.ts';
import { SpdyClient, until } from '../testing/spdy-client.ts';
import { startTestKubelet, type TestKubelet } from '../testing/test-kubelet.ts';
import { upgrade, WsClient } from '../testing/upgrade-client.ts';
import { controlType } from './spdy/frames.ts';

const certificates = new TestCertificates();
const serving = certificates.make('/CN=system:node:n1');
const credentials = { ca: serving.cert, headers: { authorization: 'Bearer good' } };

/** What listens "in the pod", and the ports that were asked for. */
let onConnection: (socket: Socket) => void;
const asked: number[] = [];
const inPod = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket));
beforeAll(() => once(inPod.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => {
  inPod.close();
  certificates.remove();
});

let kubelet: TestKubelet;
beforeEach(async () => {
  asked.length = 0;
  onConnection = (socket) => socket.pipe(socket);
  kubelet = await startTestKubelet({ cert: serving.cert, key: serving.key });
  kubelet.portForward = async ({ port, podUID }) => {
    asked.push(port);
    if (podUID !== 'u1' || port === 81) throw new InterlinkError('NotFound', 'nothing listens there');
    const { port: real } = inPod.address() as AddressInfo;
    const socket = connect({ port: real, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
});
afterEach(() => kubelet.server.stop());

async function overSpdy(): Promise<Duplex> {
  const headers = {
    ...credentials.headers,
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
    'x-stream-protocol-version': 'portforward.k8s.io',
  };
  const { socket, response } = await upgrade(kubelet.port, '/portForward/ns/pod', {
    ...credentials,
    method: 'POST',
    headers,
  });
  expect(response.headers['x-stream-protocol-version']).toBe('portforward.k8s.io');
  if (socket === undefined) throw new Error(`refused: ${response.statusCode}`);
  return socket;
}

/** `ws` itself cannot offer a protocol with a slash: it is put into the request by hand. */
async function overTunnel(): Promise<Duplex> {
  const protocol = 'SPDY/3.1+portforward.k8s.io';
  const headers = { ...credentials.headers, 'Sec-WebSocket-Protocol': protocol };
  const opening = WsClient.open(kubelet.port, '/portForward/ns/pod', [], {
    ...credentials,
    headers,
    // And the answer, which it would not take, out of the response.
    finishRequest: (request) => {
      request.prependListener('upgrade', (response) => {
        expect(response.headers['sec-websocket-protocol']).toBe(protocol);
        delete response.headers['sec-websocket-protocol'];
      });
      request.end();
    },
  });
  return createWebSocketStream((await opening).ws);
}

async function pair(client: SpdyClient, port: number, requestid = '0'): Promise<{ data: number; error: number }> {
  const error = await client.open({ streamtype: 'error', port: String(port), requestid });
  client.send(error, '', true);
  const data = await client.open({ streamtype: 'data', port: String(port), requestid });
  return { data, error };
}

describe.each([
  ['SPDY', overSpdy],
  ['SPDY in a WebSocket', overTunnel],
])('over %s', (_name, dial) => {
  let client: SpdyClient;
  beforeEach(async () => {
    client = new SpdyClient(await dial());
  });
  afterEach(() => client.transport.destroy());

  it('carries several connections at once, each direction to its own end', async () => {
    const one = await pair(client, 80, '1');
    const two = await pair(client, 8080, '2');
    client.send(two.data, 'to two', true);
    client.send(one.data, 'to one');
    expect(await client.whole(two.data)).toBe('to two');
    expect(client.isFinished(one.data)).toBe(false);
    client.send(one.data, ', all of it', true);
    expect(await client.whole(one.data)).toBe('to one, all of it');
    expect(await Promise.all([client.whole(one.error), client.whole(two.error)])).toEqual(['', '']);
    expect(asked.sort()).toEqual([80, 8080]);
    expect(client.got(controlType.rstStream)).toEqual([]);
  });

  it('half-close: the pod answers what the client has ended', async () => {
    onConnection = (socket) => void buffer(socket).then((all) => socket.end(`got ${all.length}`));
    const { data } = await pair(client, 80);
    client.send(data, Buffer.alloc(300_000));
    client.send(data, '', true);
    expect(await client.whole(data)).toBe('got 300000');
  });

  it('half-close the other way: the client goes on after the pod has ended', async () => {
    let got = 0;
    onConnection = (socket) => {
      socket.on('data', (piece: Buffer) => (got += piece.length));
      socket.end('bye');
    };
    const { data, error } = await pair(client, 80);
    expect(await client.whole(data)).toBe('bye');
    client.send(data, 'still here', true);
    await client.whole(error);
    expect(got).toBe(10);
  });

  it('says why there is no connection, and the others go on', async () => {
    const good = await pair(client, 80, 'good');
    const bad = await pair(client, 81, 'bad');
    expect(await client.whole(bad.error)).toBe('error forwarding port 81 to pod pod, uid u1: nothing listens there');
    client.send(good.data, 'fine', true);
    expect(await client.whole(good.data)).toBe('fine');
  });

  it('a connection that breaks is no error of the forwarding', async () => {
    onConnection = (socket) => socket.once('data', () => socket.resetAndDestroy());
    const { data, error } = await pair(client, 80);
    client.send(data, 'x');
    expect(await client.whole(error)).toBe('');
    await until(() => client.got(controlType.rstStream).some(([id]) => id === data));
  });

  it("a client that resets, or goes, closes the pod's side", async () => {
    const closed: number[] = [];
    onConnection = (socket) => {
      const number = closed.push(0) - 1;
      socket.on('error', () => undefined).once('end', () => (closed[number] = 1));
      socket.resume();
    };
    const one = await pair(client, 80, '1');
    await pair(client, 80, '2');
    await until(() => closed.length === 2);
    client.numbers(controlType.rstStream, one.data, 5);
    await until(() => closed.includes(1));
    expect(closed.filter((is) => is === 1)).toHaveLength(1);
    client.transport.destroy();
    await until(() => closed.every((is) => is === 1));
  });

  it('pairs streams without a request id, and resets what makes no sense', async () => {
    const error = await client.open({ streamtype: 'error', port: '80' });
    const data = await client.open({ streamtype: 'data', port: '80' });
    client.send(data, 'paired', true);
    expect(await client.whole(data)).toBe('paired');
    await client.whole(error);
    const wrong = [
      await client.open({ streamtype: 'data', port: '0', requestid: '1' }),
      await client.open({ streamtype: 'data', port: '99999', requestid: '2' }),
      await client.open({ streamtype: 'stdin', port: '80', requestid: '3' }),
    ];
    await client.open({ streamtype: 'data', port: '80', requestid: '4' });
    wrong.push(await client.open({ streamtype: 'data', port: '80', requestid: '4' }));
    await until(() => client.got(controlType.rstStream).length === wrong.length);
    expect(client.got(controlType.rstStream).map(([id]) => id)).toEqual(wrong);
  });

  it('tells why when it stops', async () => {
    const { error } = await pair(client, 80);
    await until(() => asked.length === 1);
    const stopped = kubelet.server.stop();
    expect(await client.whole(error)).toContain('the kubelet of this node is stopping');
    client.transport.end();
    await stopped;
  });
});

it('over channels without a subprotocol: binary', async () => {
  const client = await WsClient.open(kubelet.port, '/portForward/ns/pod?port=80', [], credentials);
  client.ws.send(Buffer.from('\0hello'));
  await until(() => client.text(0) === 'P\0hello');
  client.ws.terminate();
});

describe('over channels', () => {
  const path = '/portForward/ns/pod?port=80&port=81';
  const open = (url: string) => WsClient.open(kubelet.port, url, ['v4.channel.k8s.io'], credentials);

  it('two a port, each with its port first, and errors as text', async () => {
    const client = await open(path);
    await until(() => client.text(3).length > 2 && client.messages.length >= 5);
    expect([client.text(0), client.text(1), client.text(2)]).toEqual(['P\0', 'P\0', 'Q\0']);
    expect(client.text(3)).toBe('Q\0error forwarding port 81 to pod pod, uid u1: nothing listens there');
    client.ws.send(Buffer.from('\0hello'));
    await until(() => client.text(0) === 'P\0hello');
    client.ws.close();
    await until(() => client.closed !== undefined);
  });

  it('is over when the pod has ended', async () => {
    onConnection = (socket) => socket.end('bye');
    const client = await open('/portForward/ns/pod?port=80');
    await until(() => client.closed !== undefined);
    expect([client.text(0), client.closed]).toEqual(['P\0bye', 1000]);
  });
});
