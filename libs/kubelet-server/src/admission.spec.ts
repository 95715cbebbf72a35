import { X509Certificate } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { ask } from './testing/ask.ts';
import { TestCertificates } from './testing/certificates.ts';
import { startTestKubelet, type TestKubelet } from './testing/test-kubelet.ts';
import { userOf } from './user.ts';

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
const bearer = (token: string) => as({ headers: { authorization: `Bearer ${token}` } });
const logs = '/containerLogs/ns/pod/c';

it('takes a certificate of the client CA, with its groups', async () => {
  expect(await ask(kubelet.port, '/healthz', as(apiserver))).toMatchObject({ status: 200, text: 'ok' });
  const user = { name: 'apiserver', groups: ['system:masters', 'ops', 'system:authenticated'] };
  expect(kubelet.asked).toEqual([{ user, subresource: 'healthz' }]);
});

it('knows nobody without credentials, with a certificate of another CA, or with a wrong token', async () => {
  const stranger = certificates.make('/O=system:masters/CN=apiserver', certificates.make('/CN=cluster-ca'));
  const nameless = certificates.make('/O=system:masters', ca);
  for (const options of [as(), as(stranger), as(nameless), as(serving), bearer('bad')]) {
    expect(await ask(kubelet.port, '/healthz', options)).toMatchObject({ status: 401, text: 'Unauthorized' });
  }
  expect(kubelet.asked).toEqual([]);
  await expect(
    ask(kubelet.port, '/healthz', as({ ...apiserver, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })),
  ).rejects.toThrow();
});

it('does not take a certificate after its time, even on an open connection', () => {
  const certificate = new X509Certificate(apiserver.cert);
  expect(userOf(certificate, Date.now())?.name).toBe('apiserver');
  expect(userOf(certificate, certificate.validToDate.getTime() + 1)).toBeUndefined();
  expect(userOf(certificate, certificate.validFromDate.getTime() - 1)).toBeUndefined();
});

it('takes a token that the cluster knows, and lets nobody in while it cannot be asked', async () => {
  expect((await ask(kubelet.port, '/healthz', bearer('good'))).status).toBe(200);
  expect(kubelet.asked[0]?.user.name).toBe('prometheus');
  expect(await ask(kubelet.port, '/healthz', bearer('broken'))).toMatchObject({ status: 503 });
});

it('counts no certificate at all without a client CA', async () => {
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).status).toBe(200);
  kubelet.server.updateTls({ cert: serving.cert, key: serving.key });
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).status).toBe(401);
  expect((await ask(kubelet.port, '/healthz', bearer('good'))).status).toBe(200);
});

it('authorizes every path, and says what was missing', async () => {
  kubelet.mayDo = () => false;
  expect(await ask(kubelet.port, logs, as(apiserver))).toMatchObject({
    status: 403,
    text: 'Forbidden (user=apiserver, verb=get, resource=nodes, subresource(s)=[proxy])\n',
  });
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).text).toContain('subresource(s)=[healthz proxy]');
  expect((await ask(kubelet.port, '/no/such/path', as(apiserver))).status).toBe(403);
  expect(kubelet.calls).toEqual([]);
});

it('falls back from the fine-grained subresource to proxy', async () => {
  kubelet.mayDo = ({ subresource }) => subresource === 'proxy';
  expect((await ask(kubelet.port, '/healthz', as(apiserver))).status).toBe(200);
  expect(kubelet.asked.map(({ subresource }) => subresource)).toEqual(['healthz', 'proxy']);
  expect((await ask(kubelet.port, '/stats/summary', as(apiserver))).status).toBe(403);
});
