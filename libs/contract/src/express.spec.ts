import { ContractServer, bodyLimit } from './testing/contract-server.ts';
import type { Leg } from './routes.ts';

const metadata = { name: 'p', namespace: 'n', uid: 'u' };
const pod = { metadata, spec: { containers: [{ name: 'c' }] } };
const deep = JSON.stringify({ pod }).replace('"spec":{', `"spec":{"x":${'['.repeat(500)}${']'.repeat(500)},`);
const servers = new Map<Leg, ContractServer>();

beforeAll(async () => {
  for (const leg of ['api', 'sidecar'] as const) servers.set(leg, await new ContractServer(leg).start());
});
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

function at(leg: Leg): ContractServer {
  const server = servers.get(leg);
  if (server === undefined) throw new Error('not started');
  return server;
}

describe.each<Leg>(['api', 'sidecar'])('the %s', (leg) => {
  it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])('takes any method for the core: %s', async (method) => {
    for (const [path, body] of [
      ['/create', { pod }],
      ['/delete', { metadata }],
      ['/status', [{ metadata }]],
      ['/update', { pod: { metadata } }],
    ] as const) {
      expect(await at(leg).send(method, path, JSON.stringify(body))).toMatchObject({ status: 200 });
    }
  });

  it.each([
    ['no body', undefined, 400, /body/],
    ['malformed JSON', '{"pod":', 400, undefined],
    ['JSON that is no object', '"pod"', 400, /body: /],
    ['the wrong shape', JSON.stringify({ pod: { ...pod, spec: { containers: [{ name: 7 }] } } }), 400, /name: /],
    ['two pods', JSON.stringify([{ pod }, { pod }]), 400, undefined],
    ['a field of endless depth', deep, 400, /nested/],
    ['too much', JSON.stringify({ pod, 'x-pad': 'x'.repeat(bodyLimit) }), 413, undefined],
  ])('refuses a create with %s', async (_, body, status, message) => {
    const before = at(leg).handlers.calls.length;
    const answer = await at(leg).send('POST', '/create', body);
    expect(answer.status).toBe(status);
    if (message) {
      const error = JSON.parse(answer.text) as { code: string; message: string };
      expect(error.code).toBe('Malformed');
      expect(error.message).toMatch(message);
    }
    expect(at(leg).handlers.calls).toHaveLength(before);
  });

  it('names the field that is wrong', async () => {
    const answer = await at(leg).send('GET', '/status', JSON.stringify([{ metadata }, { metadata: { uid: 'u' } }]));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'Malformed', field: '1.metadata.name' });
  });

  it('carries owner and session to the handler, and makes a session where there is none', async () => {
    const headers = { 'Interlink-Owner': 'c/n', 'InterLink-Http-Session': 'S#1' };
    await at(leg).send('POST', '/delete', JSON.stringify({ metadata }), headers);
    expect(at(leg).handlers.calls.at(-1)?.call).toMatchObject({ owner: 'c/n', session: 'S#1' });
    await at(leg).send('POST', '/delete', JSON.stringify({ metadata }));
    expect(at(leg).handlers.calls.at(-1)?.call.session).toMatch(/^Request-/);
  });
});

it('an empty status list is a ping for the sidecar, and no pods for the API', async () => {
  expect(JSON.parse((await at('sidecar').send('GET', '/status', '[]')).text)).toMatchObject({ status: 'ok' });
  expect(JSON.parse((await at('api').send('GET', '/status', '[]')).text)).toEqual([]);
});

it('the sidecar has no endpoints of the API', async () => {
  expect(await at('sidecar').send('POST', '/pinglink')).toMatchObject({ status: 404 });
});
