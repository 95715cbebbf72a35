import { once } from 'node:events';
import { Agent, type RequestOptions } from 'node:https';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
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

it('follows the client CA, and closes the connections that the old one had verified', async () => {
  const next = certificates.make('/CN=next-ca');
  const newcomer = certificates.make('/CN=newcomer', next);
  const agent = new Agent({ keepAlive: true, ca: serving.cert, cert, key });
  const followed = new PassThrough();
  kubelet.logs = async () => followed;
  const busy = await open(kubelet.port, `${logs}?follow=true`, { agent });

  kubelet.server.updateTls({ cert: serving.cert, key: serving.key, clientCa: next.cert });
  expect((await ask(kubelet.port, '/healthz', as(newcomer))).status).toBe(200);
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).status).toBe(401);
  followed.end('last words');
  busy.resume();
  await once(busy.socket, 'close');
  agent.destroy();

  kubelet.server.updateTls({ cert: serving.cert, key: serving.key, clientCa: ca.cert + next.cert });
  expect((await ask(kubelet.port, '/healthz', as(newcomer))).status).toBe(200);
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).status).toBe(200);
});

it('serves another certificate once it is told to', async () => {
  const renewed = certificates.make('/CN=renewed');
  kubelet.server.updateTls({ cert: renewed.cert, key: renewed.key, clientCa: ca.cert });
  expect((await ask(kubelet.port, '/healthz', { ...apiserver, ca: renewed.cert })).status).toBe(200);
  expect(() => kubelet.server.updateTls({ cert: renewed.cert, key: serving.key })).toThrow();
  expect((await ask(kubelet.port, '/healthz', { ...apiserver, ca: renewed.cert })).status).toBe(200);
});

it('lets a short answer end and cuts a followed log', async () => {
  const short = new PassThrough();
  kubelet.logs = async ({ options }) => (options.Follow ? new PassThrough() : short);
  const agent = new Agent({ keepAlive: true, ca: serving.cert, cert, key });
  const ending = ask(kubelet.port, logs, { agent });
  const endless = await open(kubelet.port, `${logs}?follow=true`, as(apiserver));
  const cut = once(endless, 'error');
  endless.resume();
  while (kubelet.calls.length < 2) await delay(2);
  const stopped = kubelet.server.stop();
  short.end('whole');
  expect((await ending).text).toBe('whole');
  await cut;
  await stopped;
  agent.destroy();
  await expect(ask(kubelet.port, '/healthz', as(apiserver))).rejects.toThrow('ECONNREFUSED');
});

it('says which port is taken', async () => {
  await expect(startTestKubelet(serving, kubelet.port)).rejects.toThrow(`cannot listen on 127.0.0.1:${kubelet.port}`);
});
