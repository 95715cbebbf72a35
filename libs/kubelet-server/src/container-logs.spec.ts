import { once } from 'node:events';
import type { RequestOptions } from 'node:https';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { InterlinkError } from '@interlink/contract';
import { ask, open } from './testing/ask.ts';
import { TestCertificates } from './testing/certificates.ts';
import { startTestKubelet, type TestKubelet } from './testing/test-kubelet.ts';

const certificates = new TestCertificates();
const ca = certificates.make('/CN=cluster-ca');
const serving = certificates.make('/CN=system:node:n1');
const { cert, key } = certificates.make('/O=system:masters/O=ops/CN=apiserver', ca);
const apiserver = { cert, key };

let kubelet: TestKubelet;
beforeEach(async () => {
  kubelet = await startTestKubelet({ cert: serving.cert, key: serving.key, clientCa: ca.cert });
});
afterEach(() => kubelet.server.stop());
afterAll(() => certificates.remove());

const as = (options: RequestOptions = {}): RequestOptions => ({ ca: serving.cert, ...options });
const logs = '/containerLogs/ns/pod/c';

it('sends the log as text, for the pod as it is known', async () => {
  const headers = { 'interlink-http-session': 's1' };
  expect(await ask(kubelet.port, `${logs}?tailLines=0&timestamps=true`, as({ ...apiserver, headers }))).toEqual({
    status: 200,
    type: 'text/plain; charset=utf-8',
    text: 'one\ntwo\n',
  });
  expect(kubelet.calls).toMatchObject([
    {
      namespace: 'ns',
      pod: 'pod',
      uid: 'u1',
      container: 'c',
      session: 's1',
      options: { TailLines: 0, Timestamps: true },
    },
  ]);
});

it('answers before the first byte when following, relays at once, and tells the site of a hang-up', async () => {
  const followed = new PassThrough();
  let signal: AbortSignal | undefined;
  kubelet.logs = async (_call, given) => {
    signal = given;
    return followed;
  };
  const response = await open(kubelet.port, `${logs}?follow=true`, as(apiserver));
  expect(response.statusCode).toBe(200);
  followed.write('tick\n');
  expect(String((await once(response, 'data'))[0])).toBe('tick\n');
  expect(signal?.aborted).toBe(false);
  response.destroy();
  while (!followed.closed) await delay(2);
  expect(signal?.aborted).toBe(true);
});

it('hangs up on the site also when the client left before the log came', async () => {
  const late = new PassThrough();
  kubelet.logs = async (_call, signal) => {
    await once(signal, 'abort');
    return late;
  };
  const gone = new AbortController();
  const asked = ask(kubelet.port, logs, as({ ...apiserver, signal: gone.signal })).catch(() => 'gone');
  while (kubelet.calls.length === 0) await delay(2);
  gone.abort();
  expect(await asked).toBe('gone');
  while (!late.closed) await delay(2);
});

it('reads no faster than the client', async () => {
  let produced = 0;
  kubelet.logs = async () =>
    new Readable({
      read() {
        produced += 64 * 1024;
        this.push(produced > 256 * 1024 * 1024 ? null : Buffer.alloc(64 * 1024, 'x'));
      },
    });
  const response = await open(kubelet.port, logs, as(apiserver));
  let before = -1;
  while (before !== produced) {
    before = produced;
    await delay(100);
  }
  expect(produced).toBeLessThan(64 * 1024 * 1024);
  response.destroy();
});

it('breaks off, rather than ends, a log that is not whole', async () => {
  kubelet.logs = async () =>
    Readable.from(
      (async function* () {
        yield 'begin ';
        await delay(20);
        throw new Error('site gone');
      })(),
    );
  await expect(ask(kubelet.port, logs, as(apiserver))).rejects.toThrow(/aborted|hang up|ECONNRESET/);
});

it.each([
  [new InterlinkError('NotFound', 'container "c" is not there'), 400, 'container "c" is not there'],
  [new InterlinkError('Unavailable', 'site s is down'), 500, 'site s is down'],
])('passes on %s', async (error, status, text) => {
  kubelet.logs = () => Promise.reject(error);
  expect(await ask(kubelet.port, logs, as(apiserver))).toMatchObject({ status, text });
});

it('tells nothing of an error that nobody expected', async () => {
  kubelet.logs = () => Promise.reject(new Error('password=1234'));
  const { status, text } = await ask(kubelet.port, logs, as(apiserver));
  expect([status, text]).toEqual([500, expect.not.stringContaining('1234')]);
});

it.each([
  [`${logs}?tailLines=-1`, 400, 'tailLines: invalid value "-1": must be greater than or equal to 0'],
  [
    `${logs}?sinceSeconds=1&sinceTime=2030-01-31T12:00:00Z`,
    400,
    'at most one of sinceTime or sinceSeconds may be specified',
  ],
  ['/containerLogs/ns/other/c', 404, 'pod "other" not found'],
  ['/containerLogs/ns/pod', 404, 'there is no /containerLogs/ns/pod on this node'],
  ['/containerlogs/ns/pod/c', 404, 'there is no /containerlogs/ns/pod/c on this node'],
  ['/containerLogs/ns/%ff/c', 400, 'the path cannot be read'],
])('answers %s with %i', async (path, status, text) => {
  expect(await ask(kubelet.port, path, as(apiserver))).toMatchObject({ status, text });
  expect(kubelet.calls).toEqual([]);
});
