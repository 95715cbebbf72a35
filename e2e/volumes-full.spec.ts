import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base64, createObjects } from './support/cluster-objects.ts';
import {
  createPod,
  deletePod,
  image,
  logs,
  podEnded,
  podGone,
  podWhere,
  startWorld,
  type PodOptions,
  type World,
} from './support/world.ts';

const container = (name: string, script: string, ...volumeMounts: object[]) => ({
  name,
  image,
  command: ['sh', '-c', script],
  volumeMounts,
});
const emptyDir = (name: string) => ({ name, emptyDir: {} });

describe('volumes of a pod', () => {
  let world: World;
  /** A folder of the host with a secret that no pod may see. */
  let host: string;

  const succeeds = async (options: PodOptions) => {
    await createPod(world, options);
    expect(await podEnded(world, options.name, 60_000)).toMatchObject({ status: { phase: 'Succeeded' } });
    return logs(world, options.name);
  };
  const waitsFor = async (options: PodOptions, message: string) => {
    const pod = await createPod(world, options);
    await podWhere(world, options.name, `to say ${message}`, ({ status }) =>
      [...(status?.containerStatuses ?? [])].some(({ state }) => state?.waiting?.message?.includes(message)),
    );
    await deletePod(world, options.name, 0);
    await podGone(world, options.name, pod.metadata.uid);
  };

  beforeAll(async () => {
    host = await mkdtemp(join(tmpdir(), 'interlink-host-'));
    await writeFile(join(host, 'secret'), 'SECRET');
    world = await startWorld('vols');
    await createObjects(world, { secrets: { keys: { key: base64('content') } } });
  });
  afterAll(async () => {
    await world.stop();
    await rm(host, { recursive: true, force: true });
  });

  it('subPath and subPathExpr: folders are made as open as the volume, files are mounted alone', async () => {
    const spec = {
      volumes: [emptyDir('v')],
      initContainers: [container('init', 'echo content > /all/file', { name: 'v', mountPath: '/all' })],
      containers: [
        {
          ...container(
            'main',
            'stat -c %a /made /expanded; cat /file; touch /made/x && ls /all /all/pods',
            { name: 'v', mountPath: '/all' },
            { name: 'v', mountPath: '/made', subPath: 'deep/er' },
            { name: 'v', mountPath: '/file', subPath: 'file' },
            { name: 'v', mountPath: '/expanded', subPathExpr: 'pods/$(NAME)' },
          ),
          env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ],
    };
    expect(await succeeds({ name: 'sub-path', script: '', spec })).toBe(
      '777\n777\ncontent\n/all:\ndeep\nfile\npods\n\n/all/pods:\nsub-path\n',
    );
  });

  it.each(['link', 'link/secret'])('subPath %s that an init container planted shows nothing', async (subPath) => {
    const name = `planted-${subPath.replaceAll(/[^a-z]/g, '')}`;
    await waitsFor(
      {
        name,
        script: '',
        spec: {
          volumes: [emptyDir('v')],
          initContainers: [container('init', `ln -s ${host} /v/link`, { name: 'v', mountPath: '/v' })],
          containers: [container('main', 'cat /x/secret; sleep 60', { name: 'v', mountPath: '/x', subPath })],
        },
      },
      'failed to prepare subPath for volumeMount "v" of container "main"',
    );
  });

  it('a link that a running container swaps in a loop never shows a host file', async () => {
    const swap = [
      'exec 2>/dev/null; end=$(($(date +%s) + 15))',
      'while [ $(date +%s) -lt $end ]; do for i in 1 2 3 4 5 6 7 8 9; do',
      `rm -rf /v/x; ln -s ${host} /v/x; rm -rf /v/x; mkdir /v/x; done; done; cat /out/*`,
    ].join('\n');
    const victims = Array.from({ length: 12 }, (_, index) =>
      container(
        `victim-${index}`,
        `echo $(ls -A /x) > /out/${index}`,
        { name: 'v', mountPath: '/x', subPath: 'x' },
        { name: 'out', mountPath: '/out' },
      ),
    );
    const attacker = container('main', swap, { name: 'v', mountPath: '/v' }, { name: 'out', mountPath: '/out' });
    await createPod(world, {
      name: 'swapped',
      script: '',
      spec: { volumes: [emptyDir('v'), emptyDir('out')], containers: [attacker, ...victims] },
    });
    await podWhere(
      world,
      'swapped',
      'its attacker to end',
      ({ status }) =>
        status?.containerStatuses?.some(({ name, state }) => name === 'main' && state?.terminated) ?? false,
      120_000,
    );
    const seen = (await logs(world, 'swapped', '-c', 'main')).split('\n');
    // Some did run: what they saw is an empty folder.
    expect(new Set(seen)).toEqual(new Set(['']));
    expect(seen.length).toBeGreaterThan(2);
  });

  it('fsGroup: everything in the volumes is the group’s, and the container is in it', async () => {
    const output = await succeeds({
      name: 'fs-group',
      script: [
        'id -u; id -G; stat -c "%a %g" /disk /memory; stat -L -c "%a %u %g" /secret/key /token/token',
        'touch /disk/new; stat -c "%u %g" /disk/new; cat /secret/key',
      ].join('; '),
      container: {
        volumeMounts: ['disk', 'memory', 'secret', 'token', 'sub'].map((name) => ({ name, mountPath: `/${name}` })),
      },
      spec: {
        securityContext: { runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000 },
        volumes: [
          emptyDir('disk'),
          emptyDir('sub'),
          { name: 'memory', emptyDir: { medium: 'Memory' } },
          { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o400 } },
          { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
      },
    });
    const [user, groups, disk, memory, secret, token, made, content] = output.trimEnd().split('\n');
    expect([user, disk, memory, secret, token, made, content]).toEqual([
      ...['1000', '2777 2000', '2777 2000', '440 0 2000', '640 1000 2000', '1000 2000', 'content'],
    ]);
    expect(groups?.split(' ').sort()).toEqual(['1001', '2000']);
  });

  it('an emptyDir on disk that outgrows its sizeLimit: the pod is evicted', async () => {
    await createPod(world, {
      name: 'evicted',
      script: 'dd if=/dev/zero of=/v/f bs=1M count=3; sleep 600',
      spec: { restartPolicy: 'Always', volumes: [{ name: 'v', emptyDir: { sizeLimit: '2Mi' } }] },
      container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    });
    expect((await podEnded(world, 'evicted', 40_000)).status).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "v" exceeds the limit "2Mi". ',
    });
  });
});
