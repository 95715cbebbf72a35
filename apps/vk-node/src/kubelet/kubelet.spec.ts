import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { podSchema } from '@interlink/contract';
import { systemClock, type Clock } from '@interlink/kube';
import { createLogger, createMetrics } from '@interlink/service-kit';
import { startKubelet, type Kubelet } from './kubelet.ts';
import { makeSelfSigned } from './self-signed-certificate.ts';
import { startFakeCluster, type FakeCluster } from './testing/fake-cluster.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });
const metrics = createMetrics({ processMetrics: false });
const configMap = 'GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';

const pod = podSchema.parse({ metadata: { name: 'pod', uid: 'u1' }, spec: { containers: [{ name: 'c' }] } });
const no = () => Promise.reject(new Error('not asked here'));
const unasked = { exec: no, attach: no, portForward: no, stats: no };

let cluster: FakeCluster;
const running: Kubelet[] = [];
beforeEach(async () => {
  cluster = await startFakeCluster();
  cluster.replies.set('POST /apis/authentication.k8s.io/v1/tokenreviews', () => [
    201,
    { status: { authenticated: true, user: { username: 'prom' } } },
  ]);
  cluster.replies.set('POST /apis/authorization.k8s.io/v1/subjectaccessreviews', (body) => {
    const { user, resourceAttributes } = (
      body as { spec: { user: string; resourceAttributes: { subresource: string } } }
    ).spec;
    return [201, { status: { allowed: user === 'apiserver' || resourceAttributes.subresource === 'healthz' } }];
  });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((kubelet) => kubelet.stop()));
  await cluster.stop();
});

async function start(
  files: { certFile?: string; keyFile?: string; clientCaFile?: string } = {},
  clock?: Clock,
): Promise<Kubelet> {
  const kubelet = await startKubelet({
    client: cluster.client,
    nodeName: 'n1',
    nodeIP: '127.0.0.1',
    host: '127.0.0.1',
    port: 0,
    ...files,
    provider: {
      ...unasked,
      pods: () => [pod],
      findPod: () => pod,
      logs: async () => Readable.from(['hello\n']),
    },
    log,
    metrics,
    signal: new AbortController().signal,
    ...(clock === undefined ? {} : { clock }),
  });
  running.push(kubelet);
  return kubelet;
}

async function ask(
  { port }: Kubelet,
  path: string,
  options: RequestOptions,
): Promise<{ status?: number; text: string; served: string }> {
  const sent = request({ host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false, ...options });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const served = (response.socket as TLSSocket).getPeerX509Certificate()?.subject ?? '';
  return { status: response.statusCode ?? 0, text: await text(response), served };
}

/** A certificate that vouches for itself. */
function clientAndCa(name: string): { cert: string; key: string } {
  const [cert, key] = [`${cluster.folder}/client.crt`, `${cluster.folder}/client.key`];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...newKey, '-subj', `/CN=${name}`, '-out', cert], {
    stdio: 'pipe',
    timeout: 10_000,
  });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

const logs = '/containerLogs/ns/pod/c';
const bearer = { headers: { authorization: 'Bearer t' } };

it('asks the cluster who calls and what they may', async () => {
  const kubelet = await start();
  expect(await ask(kubelet, '/healthz', bearer)).toMatchObject({
    status: 200,
    served: 'O=system:nodes\nCN=system:node:n1',
  });
  expect(await ask(kubelet, logs, bearer)).toMatchObject({
    status: 403,
    text: 'Forbidden (user=prom, verb=get, resource=nodes, subresource(s)=[proxy])\n',
  });
  expect((await ask(kubelet, logs, {})).status).toBe(401);
});

it('finds client CA and certificate that came later, and serves the API server', async () => {
  const client = clientAndCa('apiserver');
  const one = await makeSelfSigned('one', [], new Date(), 60_000);
  const two = await makeSelfSigned('two', [], new Date(), 60_000);
  const files = { certFile: cluster.write('c', one.cert), keyFile: cluster.write('k', one.key) };
  const speed = 1000;
  const fast: Clock = {
    ...systemClock,
    schedule: (ms, callback) => systemClock.schedule(ms / speed, callback),
  };
  const kubelet = await start(files, fast);
  expect(await ask(kubelet, logs, client)).toMatchObject({
    status: 401,
    served: expect.stringContaining('node:one') as string,
  });

  cluster.replies.set(configMap, () => [200, { data: { 'client-ca-file': client.cert } }]);
  cluster.write('c', two.cert);
  cluster.write('k', two.key);
  const end = Date.now() + 4000;
  let answer = await ask(kubelet, logs, client);
  while (answer.status === 401 && Date.now() < end) answer = await ask(kubelet, logs, client);
  while (!answer.served.includes('node:two') && Date.now() < end) answer = await ask(kubelet, logs, client);
  expect(answer).toMatchObject({ status: 200, text: 'hello\n', served: expect.stringContaining('node:two') as string });
});
