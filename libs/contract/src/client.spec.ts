import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ContractClient } from './client.ts';
import { errorCatalogue, InterlinkError, type ErrorCode } from './errors.ts';
import type { Leg } from './routes.ts';
import { ContractServer } from './testing/contract-server.ts';

const metadata = { name: 'p', namespace: 'n', uid: 'u' };
const pod = { metadata, spec: { containers: [{ name: 'c', env: [{ name: 'E', value: 's3cret' }] }] } };
const call = { owner: 'c/n', session: 'S#1' };
const code = (wanted: ErrorCode, message: RegExp = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) as string }) as Error;

describe.each<Leg>(['api', 'sidecar'])('client and server of the %s leg', (leg) => {
  let server: ContractServer;
  beforeAll(async () => (server = await new ContractServer(leg).start()));
  afterAll(() => server.stop());

  it('understand each other in every call, with owner and session', async () => {
    const outcomes: string[] = [];
    const client = server.client({ observe: (route, outcome) => outcomes.push(`${route} ${outcome}`) });
    expect(await client.create({ pod, expandEnv: true }, call)).toEqual({ PodUID: 'u', PodJID: '1234' });
    await client.delete({ metadata }, call);
    expect(await client.status([pod], call)).toEqual([{ name: 'p', namespace: 'n', UID: 'u', JID: '1234' }]);
    expect(await client.ping(call)).toEqual({ status: 'ok', resources: { cpu: '64' } });
    expect(await client.capabilities(call)).toMatchObject({ contract: '1', kind: 'memory' });
    await client.update({ pod: { metadata } }, call);
    const { calls } = server.handlers;
    expect(calls.map(({ name }) => name)).toEqual(['create', 'delete', 'status', 'ping', 'capabilities', 'update']);
    for (const seen of calls) expect(seen.call).toMatchObject(call);
    // As they were given: a classic plugin needs whole pods, ours get identities.
    expect(calls.find(({ name }) => name === 'status')?.argument).toEqual([pod]);
    expect(outcomes).toHaveLength(6);
    expect(outcomes).toContain('delete ok');
  });

  it('do not trouble the wire for the status of nobody', async () => {
    const before = server.handlers.calls.length;
    expect(await server.client().status([], call)).toEqual([]);
    expect(server.handlers.calls).toHaveLength(before);
  });

  it.each(Object.keys(errorCatalogue) as ErrorCode[])('hand on %s with its field', async (wanted) => {
    server.handlers.update = () => Promise.reject(new InterlinkError(wanted, 'why', { field: 'spec.x' }));
    await expect(server.client().update({ pod: { metadata } }, call)).rejects.toMatchObject({
      code: wanted,
      message: 'why',
      field: 'spec.x',
    });
  });
});

describe('a classic or broken peer', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  async function facing(listener: RequestListener, timeoutMs = 2000): Promise<ContractClient> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const bearer = () => Promise.resolve('s3cret');
    return new ContractClient({ leg: 'api', peer: 'peer', endpoint: `http://127.0.0.1:${port}`, timeoutMs, bearer });
  }
  const answering = (status: number, body: string) =>
    facing((_request, response) => response.writeHead(status).end(body));

  it.each<[number, ErrorCode]>([
    [200, 'Unavailable'],
    [201, 'Unavailable'],
    [204, 'Unavailable'],
    [302, 'Unavailable'],
    [400, 'Malformed'],
    [404, 'NotFound'],
    [500, 'Unavailable'],
  ])('answering a create with %i and text: %s', async (status, wanted) => {
    const client = await answering(status, status === 200 ? 'created' : '');
    await expect(client.create({ pod }, call)).rejects.toThrow(code(wanted));
  });

  it('only exactly 200 is success, whatever the body', async () => {
    const client = await answering(201, JSON.stringify({ PodUID: 'u', PodJID: '1' }));
    await expect(client.create({ pod }, call)).rejects.toThrow(code('Unavailable', /answered 201/));
    await expect(client.delete(pod, call)).rejects.toThrow(code('Unavailable', /answered 201/));
  });

  it.each(['alive', '', 'null', '[]'])('is alive when it answers a ping with 200 and "%s"', async (body) => {
    expect(await (await answering(200, body)).ping(call)).toEqual({ status: 'ok' });
  });

  it('may answer the status of nobody it knows with null', async () => {
    expect(await (await answering(200, 'null')).status([pod], call)).toEqual([]);
  });

  it('has no events and no capabilities', async () => {
    const client = await answering(404, '404 page not found');
    await expect(client.capabilities(call)).rejects.toThrow(code('NotFound'));
    await expect(client.events(undefined, call).next()).rejects.toThrow(code('NotFound'));
  });

  it('sees the key, which is read anew for every call, and no error repeats it', async () => {
    const seen: unknown[] = [];
    const client = await facing((request, response) => {
      seen.push(request.headers.authorization);
      response.destroy();
    });
    const error: unknown = await client.create({ pod }, call).catch((thrown: unknown) => thrown);
    expect(seen).toEqual(['Bearer s3cret']);
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('s3cret');
  });

  it.each(['text', 'stream'] as const)('that never answers meets the deadline (%s)', async (kind) => {
    const client = await facing(() => undefined, 50);
    const run = kind === 'text' ? client.delete(pod, call) : client.events(undefined, call).next();
    await expect(run).rejects.toThrow(code('Unavailable', /does not answer/));
  });

  it('is let go when the caller aborts', async () => {
    const hangUp = new AbortController();
    const gone = new Promise<void>((resolve) => {
      void facing((request) => {
        request.socket.once('close', resolve);
        hangUp.abort();
      }).then(async (client) => {
        await expect(client.delete(pod, { ...call, signal: hangUp.signal })).rejects.toThrow(code('Unavailable'));
      });
    });
    await gone;
  });

  it('that is not there at all is Unavailable', async () => {
    const client = new ContractClient({ leg: 'sidecar', peer: 'sidecar', endpoint: 'unix:///nowhere/at/all.sock' });
    await expect(client.ping(call)).rejects.toThrow(code('Unavailable', /sidecar at unix:.*ENOENT/));
  });
});
