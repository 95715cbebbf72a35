import { KubeClient } from './client.ts';
import { leasePath } from './lease-object.ts';
import { NodeLease } from './node-lease.ts';
import { FakeApiServer, sendStatus } from './testing/fake-api-server.ts';
import { FakeObjects } from './testing/fake-objects.ts';

const path = leasePath('kube-node-lease', 'node-a');

describe('NodeLease', () => {
  let server: FakeApiServer;
  const objects = new FakeObjects();
  beforeEach(async () => {
    server = await FakeApiServer.start((request, response) => objects.answer(request, response));
  });
  afterEach(() => server.stop());

  const methods = (): string[] => server.requests.splice(0).map(({ method }) => method);

  it('creates the lease, then needs one PUT a time, and recovers from what others do', async () => {
    const lease = new NodeLease({ client: KubeClient.load({ kubeconfig: server.kubeconfig }), nodeName: 'node-a' });
    await lease.renew('uid-1');
    expect(methods()).toEqual(['GET', 'POST']);
    await lease.renew('uid-1');
    await lease.renew('uid-1');
    expect(methods()).toEqual(['PUT', 'PUT']);
    const written = objects.byPath.get(path);
    expect(written).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Node', name: 'node-a', uid: 'uid-1' }] },
      spec: { holderIdentity: 'node-a', leaseDurationSeconds: 40 },
    });

    objects.put(path, { ...written, metadata: { name: 'node-a' } });
    await lease.renew('uid-2');
    expect(methods()).toEqual(['PUT', 'GET', 'PUT']);
    expect(objects.byPath.get(path)?.metadata).toMatchObject({ ownerReferences: [{ uid: 'uid-2' }] });

    objects.byPath.delete(path);
    await lease.renew('uid-2');
    expect(methods()).toEqual(['PUT', 'GET', 'POST']);

    server.answer = (_, response) => sendStatus(response, 503, 'ServiceUnavailable');
    await expect(lease.renew('uid-2')).rejects.toMatchObject({ status: 503 });
    expect(methods()).toEqual(['PUT']);
  });
});
