import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { KubeClient } from './client.ts';
import * as errors from './errors.ts';
import { FakeApiServer, sendJson, sendStatus } from './testing/fake-api-server.ts';

const schema = z.looseObject({ kind: z.string() });
const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => undefined).catch((error: unknown) => error);

describe('KubeClient', () => {
  let server: FakeApiServer;
  beforeEach(async () => {
    server = await FakeApiServer.start();
  });
  afterEach(() => server.stop());

  const client = (options = {}): KubeClient => KubeClient.load({ kubeconfig: server.kubeconfig, ...options });

  it('sends what it is told and keeps fields the schema does not name', async () => {
    server.answer = (_, response) => sendJson(response, 200, { kind: 'Pod', spec: { future: true } });
    const seen: unknown[] = [];
    const kube = client({ userAgent: 'interlink-test/1', onRequest: (request: object) => seen.push(request) });
    const pod = await kube.patch({
      type: 'strategic',
      path: '/api/v1/namespaces/a/pods/b/status',
      query: { force: true },
      body: { x: 1 },
      schema,
    });
    expect(pod).toEqual({ kind: 'Pod', spec: { future: true } });
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/a/pods/b/status',
      headers: {
        authorization: 'Bearer secret-one',
        'content-type': 'application/strategic-merge-patch+json',
        'user-agent': 'interlink-test/1',
      },
      body: { x: 1 },
    });
    expect(server.requests[0]?.query.get('force')).toBe('true');
    expect(seen).toMatchObject([{ method: 'PATCH', resource: 'pods/status', status: 200 }]);
    expect(kube.namespace).toBe('team');
  });

  it('deletes with preconditions', async () => {
    await client().delete({ path: '/api/v1/namespaces/a/pods/b', uid: 'u1', gracePeriodSeconds: 0 });
    expect(server.requests[0]).toMatchObject({
      method: 'DELETE',
      body: { preconditions: { uid: 'u1' }, gracePeriodSeconds: 0 },
    });
  });

  it.each([
    [404, 'NotFound', 'isNotFound'],
    [403, 'Forbidden', 'isForbidden'],
    [401, 'Unauthorized', 'isUnauthorized'],
    [409, 'Conflict', 'isConflict'],
    [409, 'AlreadyExists', 'isAlreadyExists'],
    [410, 'Expired', 'isGone'],
    [429, 'TooManyRequests', 'isUnreachable'],
    [503, 'ServiceUnavailable', 'isUnreachable'],
    [422, 'Invalid', undefined],
  ] as const)('sorts %i %s', async (status, reason, expected) => {
    server.answer = (_, response) => sendStatus(response, status, reason);
    const error = await caught(client().get({ path: '/api/v1/nodes/n', schema }));
    expect(error).toMatchObject({ status, reason, message: expect.stringContaining('refused by the test') as unknown });
    const { isNotFound, isForbidden, isUnauthorized, isConflict, isAlreadyExists, isGone, isUnreachable, isAborted } =
      errors;
    const predicates = {
      isNotFound,
      isForbidden,
      isUnauthorized,
      isConflict,
      isAlreadyExists,
      isGone,
      isUnreachable,
      isAborted,
    };
    const holding = Object.entries(predicates).flatMap(([name, holds]) => (holds(error) ? [name] : []));
    expect(holding).toEqual(expected === undefined ? [] : [expected]);
  });

  it('reads answers that are no Status, and Retry-After', async () => {
    server.answer = (_, response) => response.writeHead(503, { 'Retry-After': '7' }).end('upstream gone');
    const error = await caught(client().get({ path: '/version', schema }));
    expect(error).toMatchObject({ reason: 'ServiceUnavailable', retryAfterSeconds: 7 });
    expect(String(error)).toContain('upstream gone');
  });

  it('has a deadline, obeys the caller, and knows which of the two it was', async () => {
    server.answer = () => undefined;
    const late = await caught(client().get({ path: '/version', timeoutMs: 30, schema }));
    expect([errors.isUnreachable(late), late]).toMatchObject([true, { reason: 'Timeout' }]);
    const stopped = await caught(client().get({ path: '/version', signal: AbortSignal.timeout(20), schema }));
    expect([errors.isAborted(stopped), errors.isUnreachable(stopped)]).toEqual([true, false]);
  });

  it('refuses answers of another shape, and redirects', async () => {
    server.answer = (_, response) => sendJson(response, 200, { kind: 5 });
    await expect(client().get({ path: '/version', schema })).rejects.toMatchObject({
      status: 200,
      reason: 'Unparsable',
    });
    server.answer = (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end();
    await expect(client().get({ path: '/version', schema })).rejects.toMatchObject({ status: 302 });
  });

  it('tells no secret when the connection fails', async () => {
    server.answer = (_, response) => response.destroy();
    const error = await caught(client().get({ path: '/version', schema }));
    expect(errors.isUnreachable(error)).toBe(true);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('secret-one');
  });

  it('reads the kubeconfig again when its token no longer works', async () => {
    const kube = client();
    await kube.request({ method: 'GET', path: '/version', schema: z.unknown() });
    server.answer = ({ headers }, response) =>
      headers.authorization === 'Bearer secret-two'
        ? sendJson(response, 200, { kind: 'ok' })
        : sendStatus(response, 401, 'Unauthorized');
    server.writeKubeconfig({ token: 'secret-two' });
    // All that were refused try again, not only the first.
    await Promise.all([1, 2, 3].map(() => kube.get({ path: '/version', schema })));
    server.writeKubeconfig({ token: 'secret-three' });
    server.answer = (_, response) => sendStatus(response, 401, 'Unauthorized');
    const before = server.requests.length;
    expect(errors.isUnauthorized(await caught(kube.get({ path: '/version', schema })))).toBe(true);
    expect(server.requests.length - before).toBe(1);
  });

  it('takes a token file, relative to the kubeconfig, and a plugin', async () => {
    writeFileSync(path.join(server.folder, 'token'), 'from-file\n');
    server.writeKubeconfig({ tokenFile: 'token', 'as-groups': ['g1', 'g2'], as: 'bob' });
    await client().get({ path: '/version', schema: z.unknown() });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer from-file',
      'impersonate-user': 'bob',
      'impersonate-group': 'g1, g2',
    });
    const credential = JSON.stringify({ status: { token: 'from-plugin' } });
    server.writeKubeconfig({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [credential] },
    });
    await client().get({ path: '/version', schema: z.unknown() });
    expect(server.requests[1]?.headers.authorization).toBe('Bearer from-plugin');
    server.writeKubeconfig({ exec: { command: 'echo', args: ['my-secret-token'] } });
    const error = await caught(client().get({ path: '/version', schema }));
    expect([errors.isUnreachable(error), error]).toMatchObject([true, { reason: 'CredentialsFailed' }]);
    expect(inspect(error)).not.toContain('secret');
  });

  it('names the kubeconfig it cannot use, and quotes nothing of it', () => {
    expect(() => KubeClient.load({ kubeconfig: '/nowhere/config' })).toThrow(/\/nowhere\/config/);
    writeFileSync(server.kubeconfig, 'users:\n- token: top-secret\n  - broken: [');
    const load = (context?: string) => () =>
      KubeClient.load({ kubeconfig: server.kubeconfig, ...(context ? { context } : {}) });
    expect(load()).toThrow(errors.KubeconfigError);
    expect(load()).toThrow(server.kubeconfig);
    expect(load()).not.toThrow(/top-secret/);
    server.writeKubeconfig({});
    expect(load('other')).toThrow(/no context other/);
    server.writeKubeconfig({}, { 'proxy-url': 'http://p' });
    expect(load()).toThrow(/proxy-url/);
  });

  it('watches until its signal aborts, and reports a refused watch', async () => {
    server.answer = (_, response) => {
      response.writeHead(200);
      response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
    };
    const stop = new AbortController();
    const types: string[] = [];
    for await (const { type } of client().watch({
      path: '/api/v1/pods',
      query: { resourceVersion: '5' },
      signal: stop.signal,
    })) {
      types.push(type);
      stop.abort();
    }
    expect(types).toEqual(['ADDED']);
    const query = Object.fromEntries(server.requests[0]?.query ?? []);
    expect(query).toMatchObject({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '5' });
    expect(Number(query['timeoutSeconds'])).toBeGreaterThanOrEqual(300);
    server.answer = (_, response) => sendStatus(response, 410, 'Expired');
    expect(errors.isGone(await caught(client().watch({ path: '/api/v1/pods' }).next()))).toBe(true);
  });
});
