import express, { type Router } from 'express';
import { InterlinkError } from '@interlink/contract';
import { listenSchema } from './listen.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startServer, type RunningServer } from './server.ts';
import { createServiceApp } from './service-app.ts';
import { ask } from './testing/ask.ts';
import { createScratch } from './testing/scratch.ts';

const scratch = createScratch();
const lines: string[] = [];
let server: RunningServer;
let reason: string | undefined;
const key = 'k'.repeat(32);
const auth = { headers: { authorization: `Bearer ${key}` } };
const get = (path: string, options = {}) => ask(server.addresses[0] ?? '', path, { ...auth, ...options });
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

const mount = (router: Router) => {
  router.get('/status', () => {
    throw new InterlinkError('Invalid', 'no', { field: 'spec.x' });
  });
  router.get('/boom', async () => {
    await Promise.resolve();
    throw Object.assign(new Error('password hunter2'), { config: { headers: { authorization: 'Bearer abc' } } });
  });
  router.get('/half', (_request, response) => {
    response.write('half');
    throw new Error('too late');
  });
  router.post('/create', express.json({ limit: 100 }), (request, response) => {
    response.json(request.body);
  });
};

beforeAll(async () => {
  const log = createLogger({
    name: 'spec',
    version: '0',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  const metrics = createMetrics({ processMetrics: false });
  const keys = [{ name: 'vk', keyFile: scratch.write('key', key), owners: ['*'] }];
  server = await startServer({
    listen: listenSchema.parse([{ address: 'http://127.0.0.1:0', keys }]),
    app: createServiceApp({ name: 'spec', version: '0', log, metrics, ready: () => reason, mount }),
    log,
  });
});
beforeEach(() => {
  lines.length = 0;
});
afterAll(async () => {
  await server.stop();
  scratch.remove();
});

it('answers probes with a bare word, without credentials', async () => {
  expect(await get('/healthz', { headers: {} })).toMatchObject({ status: 200, text: 'ok' });
  expect(await get('/readyz', { headers: {} })).toMatchObject({ status: 200, text: 'ok' });
  reason = 'the site at 10.0.0.1 is away';
  expect(await get('/readyz', { headers: {} })).toMatchObject({ status: 503, text: 'not ready' });
  reason = undefined;
});

it('demands credentials for everything else, metrics and unknown paths included', async () => {
  for (const path of ['/metrics', '/status', '/nowhere']) {
    const answer = await get(path, { headers: {} });
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'Unauthenticated' });
  }
});

it('answers errors of the contract as such, and unknown paths with NotFound', async () => {
  const invalid = await get('/status');
  expect(invalid.status).toBe(422);
  expect(JSON.parse(invalid.text)).toEqual({ code: 'Invalid', message: 'no', field: 'spec.x' });
  expect(JSON.parse((await get('/nowhere')).text)).toEqual({ code: 'NotFound', message: 'there is no /nowhere here' });
});

it('logs what nobody expected, and does not show it', async () => {
  const answer = await get('/boom', { headers: { ...auth.headers, 'interlink-http-session': 'CreatePod#7' } });
  expect(answer.status).toBe(500);
  expect(answer.headers['interlink-http-session']).toBe('CreatePod#7');
  expect(answer.text).toContain('session CreatePod#7');
  expect(answer.text).not.toContain('hunter2');
  expect(logged()).toContainEqual(
    expect.objectContaining({
      level: 'error',
      session: 'CreatePod#7',
      err: expect.objectContaining({ message: 'password hunter2' }) as unknown,
    }),
  );
  expect(lines.join('')).not.toContain('abc');
});

it('hangs up when the error comes after the headers', async () => {
  await expect(get('/half')).rejects.toThrow();
});

it('sorts body errors', async () => {
  const post = async (body: string) => {
    const headers = { ...auth.headers, 'content-type': 'application/json' };
    const { status, text } = await get('/create', { method: 'POST', headers, body });
    return [status, (JSON.parse(text) as { code: string }).code];
  };
  expect(await post('{"a":')).toEqual([400, 'Malformed']);
  expect(await post(JSON.stringify('x'.repeat(200)))).toEqual([413, 'TooLarge']);
});

it('measures by route name, with one session id in log and answer', async () => {
  const { headers } = await get('/status');
  await get('/some/path/of/a/pod');
  const { text } = await get('/metrics');
  expect(text).toMatch(/interlink_http_requests_seconds_count\{route="status",method="GET",status="422"\} \d/);
  expect(text).toContain('route="other",method="GET",status="404"');
  expect(text).not.toContain('/some/path');
  expect(logged()).toContainEqual(
    expect.objectContaining({ msg: 'request', session: headers['interlink-http-session'], caller: 'vk', status: 422 }),
  );
});
