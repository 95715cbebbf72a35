import { InterlinkError } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { MountSettings } from 'dockerode';
import { FakeEngine } from '../testing/fake-engine.ts';
import { exited, factsOf, makeFact, makeJob, sandbox } from '../testing/jobs.ts';
import { volumeName } from '../labels.ts';
import { PodVolumes } from './pod-volumes.ts';
import { SharedPaths } from './shared-paths.ts';
import type { VolumeRules } from './volume-rules.ts';

const never = new AbortController().signal;
const rules: VolumeRules = { hostPaths: [{ path: '/data', readOnly: false }], claims: [] };
let engine: FakeEngine;
let running: Job[];
beforeEach(() => {
  engine = new FakeEngine();
  running = [];
});

function podVolumes() {
  const shared = new SharedPaths(() => running, rules);
  return new PodVolumes({ engine, site: 's', sandboxImage: 'sandbox:1', rules, shared, now: () => 7 });
}

const mount = (name: string, fields: object = {}) => ({ name, mountPath: `/${name}`, ...fields });
const container = (name: string, ...volumeMounts: object[]) => ({ name, image: 'i', volumeMounts });
const volumes = [
  { name: 'scratch', emptyDir: {} },
  { name: 'config', configMap: { name: 'cm' } },
  { name: 'host', hostPath: { path: '/data/sub', type: 'Directory' } },
];
const configMaps = (value: string) => [{ metadata: { name: 'cm' }, data: { key: value } }];

async function mountsOf(job: Job, name: string, facts = factsOf(sandbox())): Promise<MountSettings[]> {
  const one = job.pod.spec.containers.find((each) => each.name === name);
  if (one === undefined) throw new Error(`no container ${name}`);
  const env = new Map([['NAME', 'expanded']]);
  return podVolumes().withMounts(job, one, env, facts, never, (mounts) => {
    engine.volumes.calls.push('start');
    return Promise.resolve(mounts);
  });
}

describe('a path inside a volume', () => {
  it('is looked at and mounted while nobody who could change it runs', async () => {
    const job = makeJob({
      containers: [
        container('writer', mount('scratch')),
        container('reader', mount('scratch', { readOnly: true })),
        container('other', mount('config')),
        container('ended', mount('scratch')),
        container('main', mount('scratch', { subPathExpr: 'a/$(NAME)' })),
      ],
      volumes,
    });
    await podVolumes().make(job, never);
    const facts = factsOf(
      sandbox(),
      ...['writer', 'reader', 'other'].map((name) => makeFact({ name })),
      exited(0, { name: 'ended' }),
    );
    const [made] = await mountsOf(job, 'main', facts);
    expect(made).toMatchObject({ Type: 'bind', Source: `/engine/${volumeName(job, 'scratch')}/_data/a/expanded` });
    expect(engine.volumes.calls).toEqual([
      'pause main-writer-0',
      'resolve -create=directory /volumes/scratch a/expanded',
      'start',
      'unpause main-writer-0',
    ]);
  });

  it('that is none leaves nobody paused', async () => {
    const job = makeJob({
      containers: [container('writer', mount('scratch')), container('main', mount('scratch', { subPath: 'link' }))],
      volumes,
    });
    await podVolumes().make(job, never);
    engine.volumes.program = () => ({ exitCode: 1, stdout: '', stderr: 'sandbox: "link" has a symbolic link in it\n' });
    await expect(mountsOf(job, 'main', factsOf(sandbox(), makeFact({ name: 'writer' })))).rejects.toMatchObject({
      code: 'Invalid',
      message:
        'failed to prepare subPath for volumeMount "scratch" of container "main": "link" has a symbolic link in it',
    });
    expect(engine.volumes.calls.at(-1)).toBe('unpause main-writer-0');
  });

  it('of the cluster’s files begins at the content in use', async () => {
    const job = makeJob({ containers: [container('main', mount('config', { subPath: 'key' }))], volumes });
    await podVolumes().make(job, never);
    await mountsOf(job, 'main');
    expect(engine.volumes.calls[0]).toBe('resolve -data -create=directory /volumes/config key');
  });
});

describe('a folder of the host', () => {
  const job = makeJob({ containers: [container('main', mount('host', { subPath: 'x' }))], volumes });

  it('is looked at as its type says, then the part of it', async () => {
    const [made] = await mountsOf(job, 'main');
    expect(made?.Source).toBe('/data/sub/x');
    expect(engine.volumes.calls).toEqual([
      'resolve /volumes/host sub',
      'resolve -create=directory /volumes/host sub/x',
      'start',
    ]);
  });

  it('of another kind is refused in the kubelet’s words', async () => {
    engine.volumes.program = () => ({ exitCode: 0, stdout: '{"path":"sub","kind":"file"}', stderr: '' });
    await expect(mountsOf(job, 'main')).rejects.toThrow(
      'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /data/sub is not a directory',
    );
  });

  it.each([
    ['/data', undefined, false, true],
    ['/data/sub', undefined, false, true],
    ['/data/sub', undefined, true, false],
    // Its own part only: nothing on the way to ours.
    ['/data/sub', 'x', false, false],
    ['/data/sub', 'y', false, false],
    ['/data/other', undefined, false, false],
  ])(
    'that another pod has at %s (subPath %s, readOnly %s) is refused: %s',
    async (path, subPath, readOnly, refused) => {
      const other = makeJob({
        containers: [container('main', mount('v', { readOnly, ...(subPath ? { subPath } : {}) }))],
        volumes: [{ name: 'v', hostPath: { path, type: '' } }],
      });
      running = [{ ...other, id: 'other' }];
      const made = mountsOf(job, 'main');
      if (refused) await expect(made).rejects.toBeInstanceOf(InterlinkError);
      else await made;
    },
  );
});

describe('an update', () => {
  const job = (value: string) =>
    makeJob({ containers: [container('main', mount('config'))], volumes }, { configMaps: configMaps(value) });

  it('swaps the volumes whose content is new, once', async () => {
    const pod = podVolumes();
    await pod.fill(job('1'), 'sandbox', never);
    await pod.update(job('1'), 'sandbox', never);
    expect(engine.volumes.calls).toEqual([]);
    for (let times = 0; times < 2; times++) await pod.update(job('2'), 'sandbox', never);
    expect(engine.volumes.calls).toEqual(['swap /volumes/config ..7']);
  });

  it('that came while the volumes were being filled is made before a container starts', async () => {
    const pod = podVolumes();
    await pod.fill(job('1'), 'sandbox', never);
    const [main] = job('2').pod.spec.containers;
    if (main === undefined) throw new Error('no container');
    await pod.withMounts(job('2'), main, new Map(), factsOf(sandbox()), never, () => {
      engine.volumes.calls.push('start');
      return Promise.resolve();
    });
    expect(engine.volumes.calls).toEqual(['swap /volumes/config ..7', 'start']);
  });

  it('is made again when nobody knows what is shown, or when it failed', async () => {
    const pod = podVolumes();
    engine.volumes.program = () => ({ exitCode: 1, stdout: '', stderr: 'no space' });
    await expect(pod.update(job('1'), 'sandbox', never)).rejects.toThrow('no space');
    engine.volumes.program = () => ({ exitCode: 0, stdout: '', stderr: '' });
    await pod.update(job('1'), 'sandbox', never);
    expect(engine.volumes.calls.length).toBe(2);
  });
});

describe('the removal', () => {
  it('takes the pod’s own volumes, after what was mounted in them', async () => {
    const shared = mount('scratch', { mountPropagation: 'Bidirectional' });
    const job = makeJob({ containers: [container('main', shared, mount('host'))], volumes });
    const pod = podVolumes();
    await pod.make(job, never);
    expect(engine.volumes.size).toBe(1);
    await pod.remove(job, never);
    expect([engine.volumes.calls, engine.volumes.size]).toEqual([['helper unmount /volumes/scratch'], 0]);
    // Called again after a crash.
    await pod.remove(job, never);
    expect(engine.volumes.calls.length).toBe(1);
  });
});
