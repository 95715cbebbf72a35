import { KubeError, type KubeClient } from '@interlink/kube';
import { ObjectReader } from './object-reader.ts';

/** Answers from a map, and counts. */
function fakeClient(objects: Record<string, object>) {
  const reads: string[] = [];
  const get: KubeClient['get'] = async ({ path, schema }) => {
    reads.push(path);
    const found = objects[path];
    if (found === undefined) throw new KubeError('no such object', { status: 404, reason: 'NotFound' });
    return schema.parse(found);
  };
  return { reads, client: { get } };
}

describe('ObjectReader', () => {
  const path = '/api/v1/namespaces/ns/configmaps/cm';
  const object = { metadata: { name: 'cm' }, data: { a: '1' } };

  it('reads an object once for all pods that were seen before the read', async () => {
    const { reads, client } = fakeClient({ [path]: object });
    const reader = new ObjectReader(client, () => 100);
    const found = await Promise.all([
      reader.configMap('ns', 'cm', 90),
      reader.configMap('ns', 'cm', 100),
      reader.configMap('ns', 'cm', 95),
    ]);
    expect(found.map((one) => one?.data)).toEqual([{ a: '1' }, { a: '1' }, { a: '1' }]);
    expect(reads).toHaveLength(1);
  });

  it('reads again for a pod that was seen later', async () => {
    const { reads, client } = fakeClient({ [path]: object });
    let now = 100;
    const reader = new ObjectReader(client, () => now);
    await reader.configMap('ns', 'cm', 100);
    now = 200;
    await reader.configMap('ns', 'cm', 150);
    expect(reads).toHaveLength(2);
  });

  it('tells what is not there, and sees it when it is', async () => {
    const objects: Record<string, object> = {};
    const { client } = fakeClient(objects);
    let now = 100;
    const reader = new ObjectReader(client, () => now++);
    expect(await reader.configMap('ns', 'cm', 100)).toBeUndefined();
    objects[path] = object;
    expect(await reader.configMap('ns', 'cm', 101)).toMatchObject({ data: { a: '1' } });
  });
});
