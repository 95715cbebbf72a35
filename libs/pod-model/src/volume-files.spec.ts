import { podSchema, type ConfigMap, type Secret } from '@interlink/contract';
import { MissingReference } from './missing-reference.ts';
import { projectVolume, type ProjectionSources } from './project.ts';
import { hasVolumeFiles, volumeFiles } from './volume-files.ts';
import { volumePath } from './volume-path.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'Invalid', field }) as Error;

const bytes = Buffer.from([0xff, 0x00, 0xfe]);
const configMap: ConfigMap = {
  metadata: { name: 'cm' },
  data: { text: 'grüße', __proto__x: 'p' },
  binaryData: { bin: bytes.toString('base64') },
};
const secret: Secret = {
  metadata: { name: 's' },
  data: { pw: Buffer.from('\ufeffpw').toString('base64'), bin: bytes.toString('base64') },
};
const configMaps = new Map([['cm', configMap]]);
const secrets = new Map([['s', secret]]);

function podWith(...volumes: unknown[]) {
  return podSchema.parse({
    metadata: {
      name: 'p',
      namespace: 'ns',
      labels: { b: 'two\n"lines"', a: '1' },
      annotations: { bell: '\x07\x01\u200b\u{1f600}\u{e0001}\\é' },
    },
    spec: { containers: [{ name: 'c', resources: { limits: { cpu: '2' } } }], volumes },
  });
}

function filesOf(volume: Record<string, unknown>, projected: ConfigMap[] = []) {
  const sources = { configMaps, secrets, projected: new Map(projected.map((one) => [one.metadata.name, one])) };
  const { files } = volumeFiles(podWith({ name: 'first', emptyDir: {} }, { name: 'v', ...volume }), 'v', sources);
  return files.map(({ path, content, mode }) => [path, Buffer.from(content).toString('latin1'), mode]);
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('volumeFiles', () => {
  it('gives all keys of a ConfigMap or Secret with the default mode', () => {
    expect(filesOf({ configMap: { name: 'cm' } })).toEqual([
      ['text', latin1('grüße'), 0o644],
      ['__proto__x', 'p', 0o644],
      ['bin', bytes.toString('latin1'), 0o644],
    ]);
    expect(filesOf({ secret: { secretName: 's', defaultMode: 0o400 } })).toEqual([
      ['pw', latin1('\ufeffpw'), 0o400],
      ['bin', bytes.toString('latin1'), 0o400],
    ]);
  });

  it('gives only the items, with their paths and permission bits', () => {
    const items = [
      { key: 'bin', path: 'sub/./file', mode: 0o4755 },
      { key: 'text', path: 'plain' },
    ];
    expect(filesOf({ configMap: { name: 'cm', items, defaultMode: 0o600 } })).toEqual([
      ['sub/file', bytes.toString('latin1'), 0o755],
      ['plain', latin1('grüße'), 0o600],
    ]);
  });

  it('lets optional objects and keys be absent', () => {
    expect(filesOf({ configMap: { name: 'none', optional: true } })).toEqual([]);
    expect(filesOf({ secret: { secretName: 's', optional: true, items: [{ key: 'none', path: 'x' }] } })).toEqual([]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ configMap: { name: 'none' } }, 'spec.volumes[1].configMap'],
    [{ secret: { secretName: 's', items: [{ key: 'none', path: 'x' }] } }, 'spec.volumes[1].secret.items[0].key'],
    [{ configMap: { name: 'cm', items: [{ key: 'text', path: '../x' }] } }, 'spec.volumes[1].configMap.items[0].path'],
    [{ projected: { sources: [] } }, 'spec.volumes[1].projected'],
    [{ downwardAPI: {} }, 'spec.volumes[1].downwardAPI'],
    [{ emptyDir: {} }, 'spec.volumes[1]'],
  ])('refuses %j by its field', (volume, field) => {
    expect(() => filesOf(volume)).toThrow(invalid(field));
  });

  it('takes projected content by path and modes from the spec', () => {
    const content = {
      metadata: { name: 'v' },
      data: { token: 't', 'a/b': 'x' },
      binaryData: { raw: bytes.toString('base64') },
    };
    const sources = [
      { serviceAccountToken: { path: 'token' } },
      { configMap: { name: 'any', items: [{ key: 'k', path: 'a/b', mode: 0o440 }] } },
      { secret: { name: 'any' } },
    ];
    expect(filesOf({ projected: { defaultMode: 0o640, sources } }, [content])).toEqual([
      ['token', 't', 0o640],
      ['a/b', 'x', 0o440],
      ['raw', bytes.toString('latin1'), 0o640],
    ]);
  });

  it('knows which volumes have files', () => {
    const { volumes } = podWith({ name: 'e', emptyDir: {} }, { name: 's', secret: { secretName: 's' } }).spec;
    expect(volumes?.map(hasVolumeFiles)).toEqual([false, true]);
  });
});

describe('volumePath', () => {
  it.each(['', '.', '/', '/etc/passwd', '..', '../x', 'a/../../x', 'a/..', '..data', 'a\0b', 'a\\..\\b', './..x/y'])(
    'refuses %j',
    (path) => {
      expect(() => volumePath(path, 'f')).toThrow(invalid('f'));
    },
  );

  it.each([
    ['a', 'a'],
    ['a//b/', 'a/b'],
    ['a/..b', 'a/..b'],
    ['.hidden', '.hidden'],
  ])('takes %s as %s', (path, clean) => {
    expect(volumePath(path, 'f')).toBe(clean);
  });
});

describe('projectVolume', () => {
  const sources: ProjectionSources = { configMaps, secrets, tokens: new Map([['token', 'jwt']]), nodeName: 'n' };

  function project(volume: Record<string, unknown>) {
    const pod = podWith({ name: 'v', ...volume });
    const [parsed] = pod.spec.volumes ?? [];
    if (parsed === undefined) throw new Error('no volume');
    return projectVolume(pod, parsed, sources);
  }

  it('flattens every kind of source; the later of one path wins', () => {
    const all = [
      { secret: { name: 's', items: [{ key: 'pw', path: 'twice' }] } },
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: 'cm', items: [{ key: 'text', path: 'etc/text' }] } },
      { configMap: { name: 'none', optional: true } },
      { secret: { name: 's', items: [{ key: 'bin', path: 'twice' }] } },
      { downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu' } }] } },
    ];
    expect(project({ projected: { sources: all } })).toEqual({
      metadata: { name: 'v', namespace: 'ns' },
      data: { token: 'jwt', 'etc/text': 'grüße', cpu: '2' },
      binaryData: { twice: bytes.toString('base64') },
    });
  });

  it('survives the way to the site and back to bytes', () => {
    const volume = { projected: { sources: [{ secret: { name: 's' } }, { configMap: { name: 'cm' } }] } };
    const byPath = (files: unknown[][]) => files.map(([path, content]) => [path, content]).sort();
    expect(byPath(filesOf(volume, [project(volume)]))).toEqual(
      byPath([
        ['pw', latin1('\ufeffpw')],
        ['bin', bytes.toString('latin1')],
        ['text', latin1('grüße')],
        ['__proto__x', 'p'],
      ]),
    );
  });

  it('writes labels and annotations as the kubelet does', () => {
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'notes', fieldRef: { fieldPath: 'metadata.annotations' } },
      { path: 'one', fieldRef: { fieldPath: "metadata.labels['a']" } },
    ];
    expect(project({ downwardAPI: { items } }).data).toEqual({
      labels: 'a="1"\nb="two\\n\\"lines\\""',
      notes: 'bell="\\a\\x01\\u200b\u{1f600}\\U000e0001\\\\é"',
      one: '1',
    });
  });

  it.each([
    [{ configMap: { name: 'none' } }, new MissingReference('ConfigMap', 'none')],
    [{ secret: { name: 's', items: [{ key: 'k', path: 'p' }] } }, new MissingReference('Secret', 's', 'k')],
    [{ serviceAccountToken: { path: 'other' } }, new MissingReference('ServiceAccountToken', 'v', 'other')],
  ])('waits for what %j needs', (source, error) => {
    expect(() => project({ projected: { sources: [source] } })).toThrow(error);
  });

  it('refuses sources that it does not know', () => {
    expect(() => project({ projected: { sources: [{ clusterTrustBundle: { name: 'x' } }] } })).toThrow(
      invalid('spec.volumes[0].projected.sources[0]'),
    );
    expect(() =>
      project({ downwardAPI: { items: [{ path: 'ip', fieldRef: { fieldPath: 'status.podIP' } }] } }),
    ).toThrow(invalid('spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath'));
  });
});
