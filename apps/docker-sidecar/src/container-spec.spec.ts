import { containerSpec, sandboxSpec } from './container-spec.ts';
import { containerName, label, sandboxName } from './labels.ts';
import { makeJob } from './testing/jobs.ts';
import { noVolumeRules } from './volumes/volume-rules.ts';

const settings = {
  site: 's',
  sandboxImage: 'sandbox:1',
  clusterDns: { servers: [], domain: 'cluster.local' },
  deviceConfig: {},
  volumes: noVolumeRules,
};
const addresses = { podIPs: ['172.17.0.2'], hostIPs: ['172.17.0.1'] };

function specOf(container: Record<string, unknown>, { expandEnv = true, volumes = [] as object[] } = {}) {
  const job = makeJob({ containers: [{ name: 'main', image: 'i', ...container }], volumes }, { expandEnv });
  const [parsed] = job.pod.spec.containers;
  if (parsed === undefined) throw new Error('no container');
  const start = { role: 'main', container: parsed, attempt: 2, nextDelaySeconds: 20, existing: undefined } as const;
  const image = { id: 'sha256:i', names: [], user: '' };
  const surroundings = { sandboxId: 'sandbox-id', addresses, image, devices: {}, mounts: [] };
  return { job, spec: containerSpec(job, settings, start, surroundings) };
}

describe('command and args against ENTRYPOINT and CMD', () => {
  it.each([
    [undefined, undefined, {}],
    [null, null, {}],
    [[], [], {}],
    // A command drops the image's CMD, so that is given even when empty.
    [['/bin/c'], undefined, { Entrypoint: ['/bin/c'], Cmd: [] }],
    [['/bin/c'], ['a', 'b'], { Entrypoint: ['/bin/c'], Cmd: ['a', 'b'] }],
    [undefined, ['a'], { Cmd: ['a'] }],
  ])('command %j, args %j', (command, args, expected) => {
    const { Entrypoint, Cmd } = specOf({ command, args }).spec;
    expect(JSON.parse(JSON.stringify({ Entrypoint, Cmd }))).toEqual(expected);
  });
});

describe('variables', () => {
  const env = [
    { name: 'A', value: 'a' },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'B', value: '$(A)-$(IP)-$$(A)-$(NO)' },
    { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    { name: 'EMPTY' },
  ];
  const container = { env, command: ['sh', '$(A)', '$$(A)'], args: ['$(B)', '$(NO)'] };

  it('are expanded once, with the addresses that containers see', () => {
    const { Env, Entrypoint, Cmd } = specOf(container).spec;
    expect(Env).toEqual(['A=a', 'IP=172.17.0.2', 'B=a-172.17.0.2-$(A)-$(NO)', 'HOST=172.17.0.1', 'EMPTY=']);
    expect([Entrypoint, Cmd]).toEqual([
      ['sh', 'a', '$(A)'],
      ['a-172.17.0.2-$(A)-$(NO)', '$(NO)'],
    ]);
  });

  it('are final where the caller has expanded them', () => {
    const { Env, Entrypoint, Cmd } = specOf(container, { expandEnv: false }).spec;
    expect(Env).toEqual(['A=a', 'IP=172.17.0.2', 'B=$(A)-$(IP)-$$(A)-$(NO)', 'HOST=172.17.0.1', 'EMPTY=']);
    expect([Entrypoint, Cmd]).toEqual([
      ['sh', '$(A)', '$$(A)'],
      ['$(B)', '$(NO)'],
    ]);
  });

  it('that should have been resolved in the cluster are an error, not an empty string', () => {
    const unresolved = [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
    expect(() => specOf({ env: unresolved })).toThrow(expect.objectContaining({ code: 'Invalid' }) as Error);
  });
});

describe('limits', () => {
  it.each([
    [undefined, { CpuQuota: 0, Memory: 0, MemorySwap: 0 }],
    [{ cpu: '500m' }, { CpuQuota: 50_000, Memory: 0, MemorySwap: 0 }],
    [
      { cpu: 2, memory: '64Mi' },
      { CpuQuota: 200_000, Memory: 67_108_864, MemorySwap: 67_108_864 },
    ],
    [{ memory: '1.5G' }, { CpuQuota: 0, Memory: 1_500_000_000, MemorySwap: 1_500_000_000 }],
  ])('%j', (limits, expected) => {
    const { Memory, MemorySwap, CpuQuota } =
      specOf({ resources: { limits, requests: { cpu: '1', memory: '1' } } }).spec.HostConfig ?? {};
    expect(JSON.parse(JSON.stringify({ Memory, MemorySwap, CpuQuota }))).toEqual(expected);
  });
});

describe('a container', () => {
  it('shares network and IPC of the sandbox, never restarts by itself, and says whose it is', () => {
    const { job, spec } = specOf({ workingDir: '/w' });
    expect(spec).toMatchObject({
      Image: 'sha256:i',
      WorkingDir: '/w',
      HostConfig: {
        NetworkMode: 'container:sandbox-id',
        IpcMode: 'container:sandbox-id',
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '50m', 'max-file': '3' } },
      },
      Labels: {
        [label.site]: 's',
        [label.job]: job.id,
        [label.owner]: 'c/n',
        [label.uid]: 'u',
        [label.role]: 'main',
        [label.container]: 'main',
        [label.attempt]: '2',
        [label.nextDelay]: '20',
      },
    });
    expect(spec).not.toHaveProperty('HostConfig.Privileged');
  });
});

describe('the sandbox', () => {
  it('holds every volume that is mounted, and shows the name of the pod', () => {
    const volumes = [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }, { name: 'unused' }];
    const volumeMounts = ['a', 'b'].map((name) => ({ name, mountPath: `/${name}` }));
    const job = makeJob({ containers: [{ name: 'main', image: 'i', volumeMounts }], volumes });
    const spec = sandboxSpec(job, settings);
    expect(spec).toMatchObject({ Image: 'sandbox:1', Hostname: 'pod', HostConfig: { IpcMode: 'shareable' } });
    expect(spec.HostConfig?.Mounts?.map(({ Target }) => Target)).toEqual(['/volumes/a', '/volumes/b']);
    expect(spec.Labels?.[label.role]).toBe('sandbox');
  });

  it.each([
    ['a'.repeat(80), 'a'.repeat(63)],
    [`${'a'.repeat(62)}.b`, 'a'.repeat(62)],
    ['a.b-c', 'a.b-c'],
  ])('cuts the name %s as Kubernetes does', (name, expected) => {
    const job = makeJob();
    const named = { ...job, pod: { ...job.pod, metadata: { ...job.pod.metadata, name } } };
    expect(sandboxSpec(named, settings).Hostname).toBe(expected);
  });

  it('and containers have names that are a function of the job', () => {
    const [one, two] = [makeJob(), makeJob()];
    expect([sandboxName(one), containerName(one, 'c', 1)]).toEqual([sandboxName(two), containerName(two, 'c', 1)]);
    expect(containerName(one, 'c', 1)).not.toBe(containerName(one, 'c', 2));
  });
});
