import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../testing/ask.ts';
import { TestCertificates } from '../testing/certificates.ts';
import { FakeCommand } from '../testing/fake-command.ts';
import { SpdyClient, until } from '../testing/spdy-client.ts';
import { startTestKubelet, type TestKubelet } from '../testing/test-kubelet.ts';
import { upgrade } from '../testing/upgrade-client.ts';

const certificates = new TestCertificates();
const serving = certificates.make('/CN=system:node:n1');
const good = { authorization: 'Bearer good' };
const spdy = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
const websocket = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const exec = '/exec/ns/pod/c?output=1&command=sh';

let kubelet: TestKubelet;
let asked = 0;
beforeEach(async () => {
  asked = 0;
  kubelet = await startTestKubelet({ cert: serving.cert, key: serving.key });
  kubelet.exec = async (call) => {
    asked++;
    return new FakeCommand(call);
  };
});
afterEach(() => kubelet.server.stop());
afterAll(() => certificates.remove());

async function answer(path: string, headers: Record<string, string>, method = 'POST') {
  const { response, socket } = await upgrade(kubelet.port, path, { ca: serving.cert, method, headers });
  socket?.destroy();
  return { status: response.statusCode, text: socket === undefined ? await text(response) : '' };
}

describe('admission comes before the upgrade', () => {
  it.each(['SPDY/3.1', 'websocket'])('%s: nobody without credentials, or with wrong ones', async (protocol) => {
    const headers = protocol === 'websocket' ? websocket : spdy;
    const method = protocol === 'websocket' ? 'GET' : 'POST';
    for (const path of [exec, '/attach/ns/pod/c?output=1', '/portForward/ns/pod?port=80', '/no/such']) {
      expect(await answer(path, headers, method)).toEqual({ status: 401, text: 'Unauthorized' });
      expect((await answer(path, { ...headers, authorization: 'Bearer bad' }, method)).status).toBe(401);
    }
    expect((await answer(exec, { ...headers, authorization: 'Bearer broken' }, method)).status).toBe(503);
    expect([asked, kubelet.asked]).toEqual([0, []]);
  });

  it.each([
    ['POST', spdy, 'create'],
    ['GET', spdy, 'get'],
    ['GET', websocket, 'get'],
  ])('%s asks for its verb on nodes/proxy', async (method, headers, verb) => {
    const attributes: unknown[] = [];
    kubelet.mayDo = (access) => {
      attributes.push(access);
      return false;
    };
    expect(await answer(exec, { ...headers, ...good }, method)).toEqual({
      status: 403,
      text: `Forbidden (user=prometheus, verb=${verb}, resource=nodes, subresource(s)=[proxy])\n`,
    });
    expect(attributes).toEqual([{ verb, resource: 'nodes', name: 'n1', subresource: 'proxy' }]);
    expect(asked).toBe(0);
  });

  it('a path that only looks like another gets neither its right nor its service', async () => {
    kubelet.mayDo = ({ subresource }) => subresource !== 'proxy';
    expect((await answer('/metrics/../exec/ns/pod/c?output=1&command=sh', { ...spdy, ...good })).status).toBe(404);
    expect((await answer('//exec/ns/pod/c?output=1&command=sh', { ...spdy, ...good })).status).toBe(403);
    expect(asked).toBe(0);
  });
});

it.each([
  ['/exec/ns/other/c?output=1&command=sh', 404, 'pod does not exist'],
  ['/exec/ns/pod/u2/c?output=1&command=sh', 404, 'pod not found'],
  ['/portForward/ns/pod/u2', 404, 'pod not found'],
  ['/exec/ns/pod/x?output=1&command=sh', 404, 'container not found ("x")'],
  ['/exec/ns/pod/c?command=sh&tty=1&error=1', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
  ['/exec/ns/pod/c?output=1', 400, 'you must specify a command'],
  ['/exec/ns/%ff/c?output=1', 400, 'the path cannot be read'],
  ['/pods', 404, 'there is no /pods to upgrade'],
])('answers %s with %i', async (path, status, message) => {
  expect(await answer(path, { ...spdy, ...good })).toEqual({ status, text: message });
});

it.each([
  [
    'an unknown version',
    exec,
    { ...spdy, 'x-stream-protocol-version': 'v9.channel.k8s.io' },
    'POST',
    403,
    'no protocol in common',
  ],
  [
    'an unknown subprotocol',
    exec,
    { ...websocket, 'sec-websocket-protocol': 'v9' },
    'GET',
    403,
    'no protocol in common',
  ],
  [
    'a WebSocket without a key',
    exec,
    { connection: 'Upgrade', upgrade: 'websocket' },
    'GET',
    400,
    'no WebSocket handshake',
  ],
  [
    'ports that are none',
    '/portForward/ns/pod?port=0',
    { ...websocket, 'sec-websocket-protocol': 'v4.channel.k8s.io' },
    'GET',
    400,
    'between 1 and 65535',
  ],
])('refuses %s', async (_what, path, headers, method, status, message) => {
  expect(await answer(path, { ...headers, ...good }, method)).toEqual({
    status,
    text: expect.stringContaining(message) as string,
  });
});

it('takes no notice of other upgrades, and says so where one is missing', async () => {
  const options = { ca: serving.cert, headers: { ...good, connection: 'Upgrade', upgrade: 'h2c' } };
  expect(await ask(kubelet.port, '/healthz', options)).toMatchObject({ status: 200, text: 'ok' });
  expect(await ask(kubelet.port, exec, options)).toMatchObject({
    status: 400,
    text: 'unable to upgrade: missing upgrade headers in request',
  });
});

it('bears garbage after the upgrade', async () => {
  const { socket } = await upgrade(kubelet.port, exec, {
    ca: serving.cert,
    method: 'POST',
    headers: { ...spdy, ...good },
  });
  if (socket === undefined) throw new Error('refused');
  const closed = once(socket, 'close');
  socket.on('error', () => undefined).resume();
  socket.write('GET /exec/ns/pod/c HTTP/1.1\r\n\r\n');
  await closed;
  expect(asked).toBe(0);
  expect((await ask(kubelet.port, '/healthz', { ca: serving.cert, headers: good })).status).toBe(200);
});

it('starts nothing until the client has opened its streams, nor after it has left', async () => {
  const { socket } = await upgrade(kubelet.port, exec, {
    ca: serving.cert,
    method: 'POST',
    headers: { ...spdy, ...good },
  });
  if (socket === undefined) throw new Error('refused');
  const client = new SpdyClient(socket);
  await client.open({ streamtype: 'stdout' });
  await delay(20);
  socket.end();
  await until(() => client.isClosed);
  expect(asked).toBe(0);
});

it('stops also while a client has sent half a handshake, and lets nobody in then', async () => {
  const half = connect({ host: '127.0.0.1', port: kubelet.port, ca: serving.cert });
  half.on('error', () => undefined);
  half.write('GET /exec/ns/pod/c HTTP/1.1\r\nUpgrade: websocket\r\n');
  await delay(20);
  await kubelet.server.stop();
  expect(asked).toBe(0);
});
