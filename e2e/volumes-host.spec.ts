import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@interlink/testbed';
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

describe('what pods may have of the host', () => {
  let world: World;
  /** A folder of the host that the site lends out, and a secret beside it. */
  let host: string;
  let socket: Server;

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
    await chmod(host, 0o755);
    for (const folder of ['data', 'data/there', 'public', 'home', 'home/a']) await mkdir(join(host, folder));
    await writeFile(join(host, 'secret'), 'SECRET');
    await writeFile(join(host, 'data', 'file'), 'from the host');
    await writeFile(join(host, 'public', 'file'), 'public');
    await symlink(host, join(host, 'data', 'link'));
    socket = createServer().listen(join(host, 'data', 'socket'));
    world = await startWorld('vols-host', {
      sidecar: {
        allow: { privileged: true },
        volumes: {
          hostPaths: [
            { path: join(host, 'data') },
            { path: join(host, 'public'), readOnly: true },
            { path: '/dev/null' },
          ],
          claims: [{ namespace: 'default', name: 'home', hostPath: join(host, 'home') }],
        },
      },
    });
  });
  afterAll(async () => {
    await world.stop();
    socket.close();
    await rm(host, { recursive: true, force: true });
  });

  it.each<[string, string, string]>([
    ['there', 'Directory', ''],
    ['there', 'DirectoryOrCreate', ''],
    ['new/folder', 'DirectoryOrCreate', ''],
    ['unset', '', ''],
    ['file', 'File', ''],
    ['new-file', 'FileOrCreate', ''],
    ['socket', 'Socket', ''],
    ['file', 'Directory', 'is not a directory'],
    ['none', 'Directory', 'is not a directory'],
    ['there', 'File', 'is not a file'],
    ['file', 'Socket', 'is not a socket file'],
    ['file', 'CharDevice', 'is not a character device'],
    ['file', 'BlockDevice', 'is not a block device'],
    ['link/secret', '', 'hostPath type check failed'],
  ])('hostPath %s of type %s: %s', async (path, type, refusal) => {
    const name = `host-${path}-${type}`
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, '-')
      .replace(/-$/, '');
    const options = {
      name,
      script: 'ls -d /h',
      spec: { volumes: [{ name: 'h', hostPath: { path: join(host, 'data', path), type } }] },
      container: { volumeMounts: [{ name: 'h', mountPath: '/h' }] },
    };
    if (refusal === '') expect(await succeeds(options)).toBe('/h\n');
    else await waitsFor(options, refusal);
  });

  it('hostPath: writes reach the host; a folder lent read-only is so; a device is one', async () => {
    const output = await succeeds({
      name: 'host-write',
      script:
        'echo hello > /data/written; touch /public/x 2>/dev/null || echo refused; cat /public/file; test -c /null && echo device',
      container: {
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'made', mountPath: '/made' },
          { name: 'public', mountPath: '/public' },
          { name: 'null', mountPath: '/null' },
        ],
      },
      spec: {
        volumes: [
          { name: 'data', hostPath: { path: join(host, 'data') } },
          { name: 'made', hostPath: { path: join(host, 'data', 'made', 'deep'), type: 'DirectoryOrCreate' } },
          { name: 'public', hostPath: { path: join(host, 'public'), type: 'Directory' } },
          { name: 'null', hostPath: { path: '/dev/null', type: 'CharDevice' } },
        ],
      },
    });
    expect(output).toBe('refused\npublicdevice\n');
    expect(await readFile(join(host, 'data', 'written'), 'utf8')).toBe('hello\n');
    expect((await stat(join(host, 'data', 'made', 'deep'))).mode & 0o777).toBe(0o755);
  });

  it.each([
    ['outside', { hostPath: { path: '/etc' } }, 'spec.volumes[0].hostPath.path'],
    ['unknown-claim', { persistentVolumeClaim: { claimName: 'other' } }, 'spec.volumes[0].persistentVolumeClaim'],
  ])('%s of the allow-lists: refused by name', async (name, volume, field) => {
    const mount = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const spec = { nodeName: world.chain.nodeName, volumes: [{ name: 'v', ...volume }] };
    await createPod(world, { name, script: '', spec, container: mount });
    const { status } = await podEnded(world, name, 60_000);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Unsupported' });
    expect(status?.message).toContain(field);
  });

  it('a claim by its name is what the config says, also a part of it', async () => {
    const spec = {
      // The scheduler would wait for a claim that is bound.
      nodeName: world.chain.nodeName,
      volumes: [{ name: 'home', persistentVolumeClaim: { claimName: 'home' } }],
    };
    const mount = (subPath: string) => ({ volumeMounts: [{ name: 'home', mountPath: '/home', subPath }] });
    expect(
      await succeeds({ name: 'claim', script: 'echo 1 > /home/kept; ls /home', spec, container: mount('a') }),
    ).toBe('kept\n');
    expect(await succeeds({ name: 'claim-new', script: 'ls /home | wc -l', spec, container: mount('b') })).toBe('0\n');
    expect(await readFile(join(host, 'home', 'a', 'kept'), 'utf8')).toBe('1\n');
  });

  it('mounts made in one container are seen by another, both ways, and nothing of them is left', async () => {
    const pod = await createPod(world, {
      name: 'propagation',
      script: '',
      spec: {
        volumes: [emptyDir('v')],
        containers: [
          {
            ...container(
              'mounter',
              'mount -t tmpfs inner /v/inner-mount; echo hello > /v/inner-mount/f; until [ -e /v/inner-mount/back ]; do sleep 0.1; done; cat /v/inner-mount/back',
              { name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' },
            ),
            securityContext: { privileged: true },
          },
          container(
            'main',
            'until [ -e /v/inner-mount/f ]; do sleep 0.1; done; cat /v/inner-mount/f; grep -c " /v/inner-mount tmpfs" /proc/mounts; echo back > /v/inner-mount/tmp; mv /v/inner-mount/tmp /v/inner-mount/back',
            { name: 'v', mountPath: '/v', mountPropagation: 'HostToContainer' },
          ),
          container('apart', 'until [ -e /seen/inner-mount ]; do sleep 0.1; done; ls -A /seen/inner-mount', {
            name: 'v',
            mountPath: '/seen',
          }),
        ],
        initContainers: [container('init', 'mkdir /v/inner-mount', { name: 'v', mountPath: '/v' })],
      },
    });
    expect(await podEnded(world, 'propagation', 60_000)).toMatchObject({ status: { phase: 'Succeeded' } });
    expect(await logs(world, 'propagation', '-c', 'main')).toBe('hello\n1\n');
    expect(await logs(world, 'propagation', '-c', 'mounter')).toBe('back\n');
    const mounts = () => readFile('/proc/self/mountinfo', 'utf8');
    expect(await mounts()).toContain('inner-mount');
    await deletePod(world, 'propagation', 0);
    await podGone(world, 'propagation', pod.metadata.uid);
    await waitFor('the mount to be gone', async () => !(await mounts()).includes('inner-mount'), { timeoutMs: 30_000 });
  });

  it('propagation from a folder that is no shared mount is refused with the command that makes it one', async () => {
    await createPod(world, {
      name: 'not-shared',
      script: 'true',
      spec: { volumes: [{ name: 'data', hostPath: { path: join(host, 'data') } }] },
      container: { volumeMounts: [{ name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer' }] },
    });
    const { status } = await podEnded(world, 'not-shared', 60_000);
    expect(status?.containerStatuses?.[0]?.state?.terminated?.message).toContain('mount --make-rshared /');
  });
});
