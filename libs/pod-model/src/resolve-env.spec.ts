import { podSchema, type ConfigMap, type Secret } from '@interlink/contract';
import fc from 'fast-check';
import { expandEnv } from './expand.ts';
import { MissingReference } from './missing-reference.ts';
import { resolveEnv, type EnvSources } from './resolve-env.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'Invalid', field }) as Error;

const base64 = (text: string) => Buffer.from(text).toString('base64');

const configMap: ConfigMap = {
  metadata: { name: 'cm' },
  data: { key: 'from $(cm)', other: 'o', 'b=d': 'x', 'dotted.key': 'd' },
  binaryData: { bin: base64('binary') },
};
const secret: Secret = { metadata: { name: 's' }, data: { pw: base64('grüße $$'), other: base64('secret') } };

function sources(more: Partial<EnvSources> = {}): EnvSources {
  return {
    configMaps: new Map([['cm', configMap]]),
    secrets: new Map([['s', secret]]),
    nodeName: 'virtual',
    ...more,
  };
}

function podWith(container: Record<string, unknown>, init?: Record<string, unknown>) {
  return podSchema.parse({
    metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'x' }, annotations: { 'a/b': "it's" } },
    spec: {
      serviceAccountName: 'sa',
      containers: [{ name: 'c', ...container }],
      ...(init ? { initContainers: [{ name: 'i', ...init }] } : {}),
    },
  });
}

function envOf(container: Record<string, unknown>, more?: Partial<EnvSources>) {
  const [resolved] = resolveEnv(podWith(container), sources(more)).spec.containers;
  expect(resolved?.envFrom).toEqual([]);
  return resolved?.env ?? [];
}

function final(container: Record<string, unknown>, more?: Partial<EnvSources>) {
  const entries = expandEnv(envOf(container, more), () => '10.0.0.1');
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
}

describe('resolveEnv', () => {
  it('orders service variables, envFrom, env; the later definition stands', () => {
    const container = {
      envFrom: [
        { configMapRef: { name: 'cm' } },
        { prefix: 'S_', secretRef: { name: 's' } },
        { secretRef: { name: 's' } },
      ],
      env: [{ name: 'key', value: 'mine' }],
    };
    expect(envOf(container, { serviceEnv: { KUBERNETES_PORT: '443', other: 'service' } })).toEqual([
      { name: 'KUBERNETES_PORT', value: '443' },
      { name: 'dotted.key', value: 'd' },
      { name: 'S_pw', value: 'grüße $$$$' },
      { name: 'S_other', value: 'secret' },
      { name: 'pw', value: 'grüße $$$$' },
      { name: 'other', value: 'secret' },
      { name: 'key', value: 'mine' },
    ]);
  });

  it('keeps literals unexpanded and referenced values exact', () => {
    const env = [
      { name: 'REF', valueFrom: { configMapKeyRef: { name: 'cm', key: 'key' } } },
      { name: 'LIT', value: '$(REF) $$(REF)' },
    ];
    expect(envOf({ env })).toEqual([
      { name: 'REF', value: 'from $$(cm)' },
      { name: 'LIT', value: '$(REF) $$(REF)' },
    ]);
    expect(final({ env })).toEqual({ REF: 'from $(cm)', LIT: 'from $(cm) $(REF)' });
  });

  it('keeps an overridden definition only while something refers to it', () => {
    const env = [
      { name: 'other', value: '$(other)+' },
      { name: 'B', value: '$(other)' },
      { name: 'other', value: 'last' },
      { name: 'other', value: 'really last' },
    ];
    const container = { envFrom: [{ configMapRef: { name: 'cm' } }], env };
    expect(envOf(container).map(({ name }) => name)).toEqual(['key', 'other', 'dotted.key', 'other', 'B', 'other']);
    expect(final(container)).toMatchObject({ other: 'really last', B: 'o+' });
  });

  it('gives any secret back byte for byte after one expansion', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'X', 'ü', '\n') });
    fc.assert(
      fc.property(text, (value) => {
        const secrets = new Map([['s', { metadata: { name: 's' }, data: { k: base64(value) } }]]);
        const env = [
          { name: 'X', value: 'x' },
          { name: 'V', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ];
        expect(final({ env }, { secrets })['V']).toBe(value);
      }),
    );
  });

  it.each([
    ['metadata.name', 'p'],
    ['metadata.namespace', 'ns'],
    ['metadata.uid', 'u'],
    ["metadata.labels['app']", 'x'],
    ["metadata.labels['none']", ''],
    ["metadata.labels['constructor']", ''],
    ["metadata.annotations['a/b']", "it's"],
    ['spec.nodeName', 'virtual'],
    ['spec.serviceAccountName', 'sa'],
  ])('resolves fieldRef %s', (fieldPath, value) => {
    expect(envOf({ env: [{ name: 'V', valueFrom: { fieldRef: { fieldPath } } }] })).toEqual([{ name: 'V', value }]);
  });

  it.each(['status.podIP', 'status.podIPs', 'status.hostIP', 'status.hostIPs'])(
    'leaves %s to the site',
    (fieldPath) => {
      const env = [{ name: 'V', valueFrom: { fieldRef: { fieldPath } } }];
      expect(envOf({ env })).toEqual(env);
    },
  );

  it('resolves resources of this and of other containers, with divisor and allocatable', () => {
    const ref = (resource: string, more = {}) => ({ resourceFieldRef: { resource, ...more } });
    const pod = podWith(
      {
        resources: { limits: { cpu: '1500m' }, requests: { memory: '100Mi' } },
        env: [
          { name: 'CPU', valueFrom: ref('limits.cpu', { divisor: '1m' }) },
          { name: 'CORES', valueFrom: ref('limits.cpu') },
          { name: 'MEM', valueFrom: ref('requests.memory', { divisor: '1Mi' }) },
          { name: 'UNSET', valueFrom: ref('limits.memory') },
          { name: 'DISK', valueFrom: ref('limits.ephemeral-storage') },
          { name: 'OTHER', valueFrom: ref('limits.cpu', { containerName: 'i' }) },
        ],
      },
      { resources: { limits: { cpu: 7 } } },
    );
    const [container] = resolveEnv(pod, sources({ allocatable: { memory: '1Ki' } })).spec.containers;
    expect(container?.env?.map(({ value }) => value)).toEqual(['1500', '2', '100', '1024', '0', '7']);
  });

  it('takes a limit that is unset from the pod as a whole before the node', () => {
    const pod = podWith({ env: [{ name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } }] });
    const whole = { ...pod, spec: { ...pod.spec, resources: { limits: { memory: '2Ki' } } } };
    const [container] = resolveEnv(whole, sources({ allocatable: { memory: '1Ki' } })).spec.containers;
    expect(container?.env).toEqual([{ name: 'MEM', value: '2048' }]);
  });

  it('leaves optional variables out and waits for mandatory ones', () => {
    const key = (name: string, k: string, optional?: boolean) => ({
      env: [{ name: 'V', valueFrom: { configMapKeyRef: { name, key: k, optional } } }],
    });
    expect(envOf(key('none', 'key', true))).toEqual([]);
    expect(envOf(key('cm', 'none', true))).toEqual([]);
    expect(envOf({ envFrom: [{ secretRef: { name: 'none', optional: true } }] })).toEqual([]);

    const missing = (container: Record<string, unknown>): unknown => {
      try {
        return envOf(container);
      } catch (thrown) {
        return thrown;
      }
    };
    expect(missing(key('none', 'key'))).toEqual(new MissingReference('ConfigMap', 'none'));
    expect(missing(key('cm', 'bin'))).toEqual(new MissingReference('ConfigMap', 'cm', 'bin'));
    expect(missing(key('cm', 'constructor'))).toEqual(new MissingReference('ConfigMap', 'cm', 'constructor'));
    expect(missing({ envFrom: [{ secretRef: { name: 'none' } }] })).toEqual(new MissingReference('Secret', 'none'));
  });

  it('names the field of what it does not support', () => {
    const env = [{ name: 'V', valueFrom: { fileKeyRef: { key: 'k' } } }];
    expect(() => resolveEnv(podWith({}, { env }), sources())).toThrow(
      invalid('spec.initContainers[0].env[0].valueFrom'),
    );
    const path = [{ name: 'V', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }];
    expect(() => envOf({ env: path })).toThrow(invalid('spec.containers[0].env[0].valueFrom.fieldRef.fieldPath'));
  });
});
