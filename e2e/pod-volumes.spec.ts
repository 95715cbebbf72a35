import type { Pod } from '@interlink/contract';
import { z } from 'zod';
import { base64, createObjects } from './support/cluster-objects.ts';
import { file, files, list, type File } from './support/folder-listing.ts';
import { createPod, image, logs, podEnded, startWorld, type PodOptions, type World } from './support/world.ts';

const binary = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);
const text = 'first $(LINE)\n"second"\n\ttab é 🚀\n';

/** A pod with one volume, mounted at /v. */
const onVolume = (name: string, script: string, volume: object, mount: object = {}): PodOptions => ({
  name,
  script,
  container: { volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }] },
  spec: { volumes: [{ name: 'v', ...volume }] },
});

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

const pods: PodOptions[] = [
  onVolume('config-map', `${list('/v')}; readlink /v/text; touch /v/x 2>/dev/null || echo not writable`, {
    configMap: { name: 'files', defaultMode: 0o440 },
  }),
  onVolume('config-map-items', list('/v'), {
    configMap: {
      name: 'files',
      items: [
        { key: 'text', path: 'a/b/c.txt', mode: 0o600 },
        { key: 'bytes', path: 'plain' },
      ],
    },
  }),
  onVolume('secret', list('/v'), { secret: { secretName: 'keys', defaultMode: 0o400 } }),
  onVolume('absent', 'ls /v; ls -d /v', { configMap: { name: 'absent', optional: true } }),
  onVolume(
    'projected',
    list('/v'),
    {
      projected: {
        defaultMode: 0o444,
        sources: [
          { configMap: { name: 'files', items: [{ key: 'bytes', path: 'from/config', mode: 0o640 }] } },
          { secret: { name: 'keys' } },
          { secret: { name: 'absent', optional: true } },
          { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
          { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 7200 } },
        ],
      },
    },
    { readOnly: true },
  ),
  {
    name: 'downward',
    script: list('/v'),
    metadata: { labels: { b: '2', a: '1' }, annotations: { note: 'two\n"lines"' } },
    container: {
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
      resources: { limits: { cpu: '1500m', memory: '64Mi' } },
    },
    spec: {
      volumes: [
        {
          name: 'v',
          downwardAPI: {
            items: [
              { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
              { path: 'notes/annotations', mode: 0o600, fieldRef: { fieldPath: 'metadata.annotations' } },
              { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } },
            ],
          },
        },
      ],
    },
  },
  onVolume(
    'memory',
    'grep " /v " /proc/mounts; stat -c %a /v; dd if=/dev/zero of=/v/f bs=1M count=20 2>&1; stat -c %s /v/f',
    { emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
  ),
  { name: 'token', script: list(account) },
];

/** Two containers that meet in a folder and on localhost; an init container has been there before them. */
const twoContainers: PodOptions = {
  name: 'two-containers',
  script: '',
  spec: {
    volumes: [
      { name: 'disk', emptyDir: {} },
      { name: 'ram', emptyDir: { medium: 'Memory' } },
    ],
    initContainers: [
      {
        name: 'init',
        image,
        command: ['sh', '-c', 'echo from init > /ram/init; stat -c %a /disk'],
        volumeMounts: [
          { name: 'disk', mountPath: '/disk' },
          { name: 'ram', mountPath: '/ram' },
        ],
      },
    ],
    containers: [
      {
        name: 'server',
        image,
        command: [
          'sh',
          '-c',
          'cp /shared/init /www/page; httpd -p 127.0.0.1:8080 -h /www; until [ -e /www/done ]; do sleep 0.1; done',
        ],
        volumeMounts: [
          { name: 'disk', mountPath: '/www' },
          { name: 'ram', mountPath: '/shared' },
        ],
      },
      {
        name: 'client',
        image,
        command: [
          'sh',
          '-c',
          'until wget -q -O - http://localhost:8080/page 2>/dev/null; do sleep 0.1; done; cat /in/page; touch /in/x 2>&1 || echo refused; touch /out/done',
        ],
        volumeMounts: [
          { name: 'disk', mountPath: '/in', readOnly: true },
          { name: 'disk', mountPath: '/out' },
        ],
      },
    ],
  },
};

describe('what a container finds in its volumes', () => {
  let world: World;
  let made: Map<string, Pod>;
  const listing = async (name: string) => {
    expect(await podEnded(world, name)).toMatchObject({ status: { phase: 'Succeeded' } });
    return logs(world, name);
  };
  const uidOf = (name: string) => made.get(name)?.metadata.uid;

  beforeAll(async () => {
    world = await startWorld('volumes');
    await createObjects(world, {
      configMaps: { files: { data: { text, empty: '' }, binaryData: { bytes: base64(binary) } } },
      secrets: { keys: { 'id.key': base64(binary), password: base64(text) } },
    });
    const created = await Promise.all([...pods, twoContainers].map((pod) => createPod(world, pod)));
    made = new Map(created.map((pod) => [pod.metadata.name, pod]));
  });
  afterAll(() => world.stop());

  it('configMap: every key as a file of the default mode, text and bytes alike', async () => {
    const output = await listing('config-map');
    expect(files(output)).toEqual({
      text: file('440', text),
      empty: file('440', ''),
      bytes: file('440', binary),
    });
    // As in a kubelet: a later change of all files is one rename.
    expect(output).toContain('\n..data/text\nnot writable\n');
  });

  it('configMap: only the items, where and with what mode they say', async () => {
    expect(files(await listing('config-map-items'))).toEqual({
      'a/b/c.txt': file('600', text),
      plain: file('644', binary),
    });
  });

  it('configMap: an absent optional one is an empty folder', async () => {
    expect(await listing('absent')).toBe('/v\n');
  });

  it('secret: every key as a file of the default mode', async () => {
    expect(files(await listing('secret'))).toEqual({ 'id.key': file('400', binary), password: file('400', text) });
  });

  it('projected: several sources in one folder, with a token for the audience', async () => {
    const { token, ...others } = files(await listing('projected'));
    expect(others).toEqual({
      'from/config': file('640', binary),
      'id.key': file('444', binary),
      password: file('444', text),
      name: file('444', 'projected'),
    });
    const { aud, exp, iat } = claims(token);
    expect(aud).toEqual(['vault']);
    expect(exp - iat).toBe(7200);
  });

  it('the service account of the pod: a token bound to the pod for an hour, the CA and the namespace', async () => {
    const { token, 'ca.crt': authority, namespace, ...others } = files(await listing('token'));
    expect(others).toEqual({});
    expect(namespace).toEqual(file('644', 'default'));
    expect(authority?.content.toString()).toContain('-----BEGIN CERTIFICATE-----');
    const { exp, iat, ...bound } = claims(token);
    // What the admission plugin asks for, 3607 s, would be a whole year.
    expect(exp - iat).toBe(3600);
    expect(bound['kubernetes.io']).toMatchObject({
      pod: { name: 'token', uid: uidOf('token') },
      serviceaccount: { name: 'default' },
    });
  });

  it('downwardAPI: labels, annotations and resources as files', async () => {
    const { 'notes/annotations': notes, ...others } = files(await listing('downward'));
    expect(others).toEqual({ labels: file('644', 'a="1"\nb="2"'), cpu: file('644', '1500') });
    expect(notes?.mode).toBe('600');
    // Those that vk-node adds when the site has taken the pod may be there already.
    expect(notes?.content.toString().split('\n')).toContain('note="two\\n\\"lines\\""');
  });

  it('emptyDir: in memory, of the size that was asked for and no more', async () => {
    const [mounted = '', mode, ...rest] = (await listing('memory')).trimEnd().split('\n');
    expect(mounted).toMatch(/^tmpfs \/v tmpfs rw,/);
    expect(mode).toBe('777');
    expect(rest.join('\n')).toContain('No space left on device');
    expect(Number(rest.at(-1))).toBe(8 * 1024 * 1024);
  });

  it('emptyDir: shared by all containers of the pod, which share localhost too; a readOnly mount refuses writes', async () => {
    expect(await podEnded(world, 'two-containers')).toMatchObject({ status: { phase: 'Succeeded' } });
    expect(await logs(world, 'two-containers', '-c', 'init')).toBe('777\n');
    const [served, read, ...refusal] = (await logs(world, 'two-containers', '-c', 'client')).trimEnd().split('\n');
    expect([served, read]).toEqual(['from init', 'from init']);
    expect(refusal).toEqual([expect.stringContaining('Read-only file system'), 'refused']);
  });
});

const claimsSchema = z.looseObject({ aud: z.array(z.string()), exp: z.number(), iat: z.number() });

function claims(token: File | undefined): z.infer<typeof claimsSchema> {
  const [, payload = ''] = token?.content.toString().split('.') ?? [];
  return claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
}
