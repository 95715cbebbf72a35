import { volumeName } from '../labels.ts';
import { makeJob } from '../testing/jobs.ts';
import { mountOf, sandboxMounts, wantedMounts } from './mounts.ts';
import type { VolumeRules } from './volume-rules.ts';

const rules: VolumeRules = {
  hostPaths: [{ path: '/data', readOnly: false }],
  claims: [{ namespace: 'ns', name: 'home', volume: 'homes', readOnly: false }],
};
const volumes = [
  { name: 'scratch', emptyDir: {} },
  { name: 'config', configMap: { name: 'c' } },
  { name: 'host', hostPath: { path: '/data/a', type: '' } },
  { name: 'home', persistentVolumeClaim: { claimName: 'home', readOnly: true } },
  { name: 'unused', emptyDir: {} },
];

function mountsOf(...volumeMounts: Record<string, unknown>[]) {
  const job = makeJob({ containers: [{ name: 'main', image: 'i', volumeMounts }], volumes });
  const [container] = job.pod.spec.containers;
  if (container === undefined) throw new Error('no container');
  return { job, wanted: wantedMounts(job.pod, container, rules) };
}

describe('a mount', () => {
  it('of a whole volume is that volume of its own job; what comes from the cluster is read-only', () => {
    const { job, wanted } = mountsOf(
      { name: 'scratch', mountPath: '/scratch' },
      { name: 'scratch', mountPath: '/ro', readOnly: true },
      { name: 'config', mountPath: '/config' },
      { name: 'home', mountPath: '/home' },
    );
    const mounts = wanted.map((one) => mountOf(job, one, undefined));
    expect(mounts.map(({ Type, Source, Target, ReadOnly }) => [Type, Source, Target, ReadOnly])).toEqual([
      ['volume', volumeName(job, 'scratch'), '/scratch', false],
      ['volume', volumeName(job, 'scratch'), '/ro', true],
      ['volume', volumeName(job, 'config'), '/config', true],
      ['volume', 'homes', '/home', true],
    ]);
    expect(mounts.every(({ VolumeOptions }) => VolumeOptions?.NoCopy === true)).toBe(true);
    expect(wanted.some(({ needsPath }) => needsPath)).toBe(false);
  });

  it.each([
    [{ name: 'scratch', subPath: 'a' }, undefined],
    [{ name: 'scratch', subPathExpr: '$(A)' }, undefined],
    [{ name: 'host' }, undefined],
    [{ name: 'scratch', mountPropagation: 'HostToContainer' }, 'rslave'],
    [{ name: 'scratch', mountPropagation: 'Bidirectional' }, 'rshared'],
  ])('%j is a bind of a path of the host', (mount, propagation) => {
    const { job, wanted } = mountsOf({ ...mount, mountPath: '/m' });
    expect(wanted[0]?.needsPath).toBe(true);
    const [made] = wanted.map((one) => mountOf(job, one, '/path'));
    expect(made).toMatchObject({ Type: 'bind', Source: '/path', Target: '/m', ReadOnly: false });
    expect(made?.BindOptions?.Propagation).toBe(propagation);
  });
});

it('the sandbox has every volume that is mounted, of the host the folder that the config names', () => {
  const { job } = mountsOf(
    ...['scratch', 'config', 'host', 'home'].map((name) => ({ name, mountPath: `/${name}`, readOnly: true })),
  );
  expect(
    sandboxMounts(job, rules).map(({ Type, Source, Target, ReadOnly }) => [Type, Source, Target, ReadOnly]),
  ).toEqual([
    ['volume', volumeName(job, 'scratch'), '/volumes/scratch', false],
    ['volume', volumeName(job, 'config'), '/volumes/config', false],
    ['bind', '/data', '/volumes/host', false],
    ['volume', 'homes', '/volumes/home', false],
  ]);
});
