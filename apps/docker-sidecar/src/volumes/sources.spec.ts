import { makePod } from '../testing/jobs.ts';
import { isBelow, memoryOptions, mountedVolumes, ownVolumes, sourceOf } from './sources.ts';
import { volumesSchema, type VolumeRules } from './volume-rules.ts';

const rules: VolumeRules = {
  hostPaths: [
    { path: '/data', readOnly: false },
    { path: '/data/public', readOnly: true },
    { path: '/dev/null', readOnly: false },
  ],
  claims: [
    { namespace: 'ns', name: 'folder', hostPath: '/srv/claim', readOnly: false },
    { namespace: 'ns', name: 'volume', volume: 'v1', readOnly: true },
    { namespace: 'other', name: 'theirs', volume: 'v2', readOnly: false },
  ],
};

function source(volume: object) {
  const pod = makePod({ volumes: [{ name: 'v', ...volume }] });
  const [parsed] = pod.spec.volumes ?? [];
  if (parsed === undefined) throw new Error('no volume');
  return sourceOf(pod, parsed, rules);
}

describe('where a volume is', () => {
  it.each<[object, object]>([
    [{}, { kind: 'own', readOnly: false }],
    [{ secret: { secretName: 's' } }, { kind: 'own', readOnly: true }],
    [{ hostPath: { path: '/data' } }, { kind: 'host', root: '/data', below: '', type: '', readOnly: false }],
    [
      { hostPath: { path: '/data//a/b/', type: 'Directory' } },
      { kind: 'host', root: '/data', below: 'a/b', type: 'Directory', readOnly: false },
    ],
    // The longest counts.
    [
      { hostPath: { path: '/data/public/x' } },
      { kind: 'host', root: '/data/public', below: 'x', type: '', readOnly: true },
    ],
    [
      { persistentVolumeClaim: { claimName: 'folder', readOnly: true } },
      { kind: 'host', root: '/srv/claim', below: '', type: 'Directory', readOnly: true },
    ],
    [{ persistentVolumeClaim: { claimName: 'volume' } }, { kind: 'volume', name: 'v1', readOnly: true }],
  ])('%j', (volume, expected) => expect(source(volume)).toEqual(expected));

  it.each<[object, string]>([
    [{ hostPath: { path: '/etc' } }, 'hostPath.path'],
    [{ hostPath: { path: '/database' } }, 'hostPath.path'],
    [{ hostPath: { path: '/data/../etc' } }, 'hostPath.path'],
    [{ hostPath: { path: '/data/x/../y' } }, 'hostPath.path'],
    [{ hostPath: { path: '/data', type: 'Fifo' } }, 'hostPath.type'],
    [{ hostPath: { path: 7 } }, 'hostPath.path'],
    [{ persistentVolumeClaim: { claimName: 'theirs' } }, 'persistentVolumeClaim.claimName'],
    [{ nfs: { server: 's', path: '/' } }, 'nfs'],
    [{ emptyDir: { medium: 'HugePages' } }, 'emptyDir.medium'],
  ])('%j is refused by name', (volume, field) => {
    expect(() => source(volume)).toThrow(
      expect.objectContaining({ code: 'Invalid', field: `spec.volumes[0].${field}` }) as Error,
    );
  });
});

it.each([
  ['/a', '/a', true],
  ['/a/b', '/a', true],
  ['/ab', '/a', false],
  ['/a', '/', true],
])('%s below %s: %s', (path, root, expected) => expect(isBelow(path, root)).toBe(expected));

it('only what is mounted counts, and of that only the pod’s own is made and removed', () => {
  const pod = makePod({
    containers: [
      { name: 'main', image: 'i', volumeMounts: ['a', 'b'].map((name) => ({ name, mountPath: `/${name}` })) },
    ],
    volumes: [{ name: 'a', emptyDir: {} }, { name: 'b', hostPath: { path: '/data' } }, { name: 'c' }],
  });
  const names = (volumes: { name: string }[]) => volumes.map(({ name }) => name);
  expect([names(mountedVolumes(pod)), names(ownVolumes(pod))]).toEqual([['a', 'b'], ['a']]);
});

describe('memoryOptions', () => {
  it.each([
    [{ emptyDir: {} }, undefined],
    [{ configMap: { name: 'c' } }, undefined],
    [{ emptyDir: { medium: 'Memory' } }, {}],
    [{ emptyDir: { medium: 'Memory', sizeLimit: null } }, {}],
    [{ emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { sizeBytes: 1_048_576 }],
    [{ emptyDir: { medium: 'Memory', sizeLimit: 4096 } }, { sizeBytes: 4096 }],
  ])('%j', (volume, expected) =>
    expect(memoryOptions(makePod({ volumes: [{ name: 'v', ...volume }] }).spec.volumes?.[0] ?? { name: '' })).toEqual(
      expected,
    ),
  );
});

it.each([
  [{ claims: [{ namespace: 'a', name: 'b' }] }],
  [{ claims: [{ namespace: 'a', name: 'b', volume: 'v', hostPath: '/h' }] }],
  [{ hostPaths: [{ path: 'relative' }] }],
  [{ hostPath: [] }],
])('a configuration of %j is refused', (config) => expect(volumesSchema.safeParse(config).success).toBe(false));
