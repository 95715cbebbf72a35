import { createLogger } from '@interlink/service-kit';
import { openClientCa } from './client-ca.ts';
import { makeSelfSigned } from './self-signed-certificate.ts';
import { startFakeCluster, type FakeCluster } from './testing/fake-cluster.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });
const { signal } = new AbortController();
const configMap = 'GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const minute = 60_000;

let cluster: FakeCluster;
let now: number;
let ca: string;
beforeEach(async () => {
  now = 0;
  cluster = await startFakeCluster();
  ca = (await makeSelfSigned('ca', [], new Date(), minute)).cert;
});
afterEach(() => cluster.stop());

const publish = (pem: string) => cluster.replies.set(configMap, () => [200, { data: { 'client-ca-file': pem } }]);
const open = (file?: string) => openClientCa({ client: cluster.client, file, log, now: () => now }, signal);

it('takes what the cluster publishes, looks again after ten minutes, and keeps it when that fails', async () => {
  publish(ca);
  const clientCa = await open();
  expect(clientCa.current()).toBe(ca);
  publish(ca + ca);
  now = 9 * minute;
  await clientCa.refresh(signal);
  expect(clientCa.current()).toBe(ca);
  now = 10 * minute;
  await clientCa.refresh(signal);
  expect(clientCa.current()).toBe(ca + ca);
  for (const useless of ['', 'nonsense', ca.replace(/[A-Za-z0-9+/]{60}\n/, 'AAAA\n')]) {
    publish(useless);
    now += 10 * minute;
    await clientCa.refresh(signal);
    expect(clientCa.current()).toBe(ca + ca);
  }
  expect(cluster.received.get(configMap)).toHaveLength(5);
});

it('starts without one, and finds it at the next look', async () => {
  const clientCa = await open();
  expect(clientCa.current()).toBeUndefined();
  publish(ca);
  now = minute;
  await clientCa.refresh(signal);
  expect(clientCa.current()).toBe(ca);
});

it('takes a file instead, again when it changes', async () => {
  const file = cluster.write('ca.crt', ca);
  const clientCa = await open(file);
  cluster.write('ca.crt', 'half writ');
  await clientCa.refresh(signal);
  expect(clientCa.current()).toBe(ca);
  cluster.write('ca.crt', ca + ca);
  await clientCa.refresh(signal);
  expect(clientCa.current()).toBe(ca + ca);
  expect(cluster.received.size).toBe(0);
  await expect(open(cluster.write('none.crt', 'nothing'))).rejects.toThrow('holds no certificate');
  await expect(open(`${cluster.folder}/missing`)).rejects.toThrow('does not exist');
});
