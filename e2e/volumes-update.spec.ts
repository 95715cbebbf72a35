import { z } from 'zod';
import { base64, createObjects } from './support/cluster-objects.ts';
import { createPod, logs, podEnded, podRunning, startWorld, type World } from './support/world.ts';

const namespace = '/api/v1/namespaces/default';
/** Waits until a file says something, and then shows it. */
const until = (file: string, text: string) => `until grep -q '${text}' ${file}; do sleep 0.2; done; cat ${file}; echo`;

describe('a running pod', () => {
  let world: World;
  const patch = (path: string, body: object) =>
    world.kube.patch({ path: `${namespace}/${path}`, type: 'merge', body, schema: z.unknown() });

  beforeAll(async () => {
    world = await startWorld('update', { vkNode: { updateInterval: '2s' } });
    await createObjects(world, {
      configMaps: { cm: { data: { key: 'one', gone: 'x' } }, other: { data: { key: 'one' } } },
      secrets: { keys: { password: base64('one') } },
    });
  });
  afterAll(() => world.stop());

  it('sees changed ConfigMaps and Secrets, all files of a volume at once; a subPath stays as it was', async () => {
    await createPod(world, {
      name: 'changes',
      script: [
        'readlink /cm/..data > /tmp/before',
        until('/cm/key', 'two'),
        'ls -A /cm | tr "\\n" " "; echo',
        'stat -L -c %a /cm/new',
        'test "$(readlink /cm/..data)" != "$(cat /tmp/before)" && echo moved; ls -d /cm/..2* /cm/..1* 2>/dev/null | wc -l',
        until('/secret/password', 'two'),
        until('/projected/from/cm', 'two'),
        'cat /single',
      ].join('; '),
      container: {
        volumeMounts: [
          { name: 'cm', mountPath: '/cm' },
          { name: 'cm', mountPath: '/single', subPath: 'key' },
          { name: 'secret', mountPath: '/secret' },
          { name: 'projected', mountPath: '/projected' },
        ],
      },
      spec: {
        volumes: [
          { name: 'cm', configMap: { name: 'cm', defaultMode: 0o440 } },
          { name: 'secret', secret: { secretName: 'keys' } },
          {
            name: 'projected',
            projected: { sources: [{ configMap: { name: 'other', items: [{ key: 'key', path: 'from/cm' }] } }] },
          },
        ],
      },
    });
    await podRunning(world, 'changes');
    await patch('configmaps/cm', { data: { key: 'two', gone: null, new: 'n' } });
    await patch('secrets/keys', { data: { password: base64('two') } });
    await patch('configmaps/other', { data: { key: 'two' } });
    expect(await podEnded(world, 'changes', 60_000)).toMatchObject({ status: { phase: 'Succeeded' } });
    const [key, listing, mode, moved, folders, ...rest] = (await logs(world, 'changes')).trimEnd().split('\n');
    expect([key, mode, moved, folders]).toEqual(['two', '440', 'moved', '1']);
    expect(listing?.trim().split(' ').slice(1)).toEqual(['..data', 'key', 'new']);
    expect(rest.filter((line) => line !== '')).toEqual(['two', 'two', 'one']);
  });

  it('sees its labels and annotations as they change', async () => {
    await createPod(world, {
      name: 'labels',
      script: `${until('/info/labels', 'two')}; ${until('/info/deep/note', 'later')}`,
      metadata: { labels: { tier: 'one' } },
      container: { volumeMounts: [{ name: 'info', mountPath: '/info' }] },
      spec: {
        volumes: [
          {
            name: 'info',
            downwardAPI: {
              items: [
                { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                { path: 'deep/note', fieldRef: { fieldPath: "metadata.annotations['note']" } },
              ],
            },
          },
        ],
      },
    });
    await podRunning(world, 'labels');
    await patch('pods/labels', { metadata: { labels: { tier: 'two' }, annotations: { note: 'later' } } });
    expect(await podEnded(world, 'labels', 60_000)).toMatchObject({ status: { phase: 'Succeeded' } });
    expect((await logs(world, 'labels')).split('\n').filter(Boolean)).toEqual(['tier="two"', 'later']);
  });

  it('is told what changed while vk-node was away, and by a sidecar that has lost its memory of it', async () => {
    await createPod(world, {
      name: 'outage',
      script: until('/cm/key', 'three'),
      container: { volumeMounts: [{ name: 'cm', mountPath: '/cm' }] },
      spec: { volumes: [{ name: 'cm', configMap: { name: 'other' } }] },
    });
    await podRunning(world, 'outage');
    await world.chain.vkNode.stop();
    await patch('configmaps/other', { data: { key: 'three' } });
    await world.chain.sidecar.kill();
    await world.chain.sidecar.start();
    await world.chain.vkNode.start();
    expect(await podEnded(world, 'outage', 60_000)).toMatchObject({ status: { phase: 'Succeeded' } });
  });
});
