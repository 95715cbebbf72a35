import { podSchema } from '@interlink/contract';
import fc from 'fast-check';
import { escapeReferences, expandEnv, expandPod, expandReferences, expandText } from './expand.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'Invalid', field }) as Error;

const values = new Map([
  ['A', 'a'],
  ['B', 'b $(A)'],
  ['EMPTY', ''],
  ['a b', 'spaced'],
]);

describe('expandText', () => {
  it.each([
    ['$(A)', 'a'],
    ['x$(A)y$(A)z', 'xayaz'],
    ['$(B)', 'b $(A)'],
    ['$(EMPTY)|', '|'],
    ['$(a b)', 'spaced'],
    ['$(X)', '$(X)'],
    ['$()', '$()'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$$$(A)', '$$(A)'],
    ['$A ${A} $', '$A ${A} $'],
    ['$$', '$'],
    ['$$$', '$$'],
    ['$(A', '$(A'],
    ['$(A $$', '$(A $'],
    ['$($(A)', '$($(A)'],
    ['$(A)) $(', 'a) $('],
    [') $(A', ') $(A'],
    ['', ''],
  ])('turns %s into %s', (text, expected) => {
    expect(expandText(text, values)).toBe(expected);
  });

  const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'é', ' ', '\n') });

  it('gives escaped text back byte for byte', () => {
    fc.assert(fc.property(text, (any) => expandText(escapeReferences(any), values) === any));
  });

  it('leaves text alone in which nothing is known and nothing is escaped', () => {
    fc.assert(fc.property(text, (any) => any.includes('$$') || expandReferences(any, () => undefined) === any));
  });

  it('is linear in hostile text', () => {
    expect(expandText(')' + '$('.repeat(500_000), values)).toHaveLength(1_000_001);
  }, 2_000);
});

describe('expandEnv', () => {
  const none = () => undefined;

  it('refers only to what is defined earlier, and lets later definitions win', () => {
    const env = [
      { name: 'EARLY', value: '$(LATE)' },
      { name: 'PATH', value: '/bin' },
      { name: 'LATE', value: 'l' },
      { name: 'PATH', value: '$(PATH):/opt' },
      { name: 'USES', value: '$(PATH) $(LATE) $$(LATE)' },
      { name: 'NONE' },
    ];
    expect(expandEnv(env, none)).toEqual([
      { name: 'EARLY', value: '$(LATE)' },
      { name: 'PATH', value: '/bin:/opt' },
      { name: 'LATE', value: 'l' },
      { name: 'USES', value: '/bin:/opt l $(LATE)' },
      { name: 'NONE', value: '' },
    ]);
  });

  it('takes start fields from the resolver, unexpanded, and refuses what it does not know', () => {
    const env = [
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'URL', value: 'http://$(IP)' },
    ];
    expect(expandEnv(env, () => '10.0.0.$$')).toEqual([
      { name: 'IP', value: '10.0.0.$$' },
      { name: 'URL', value: 'http://10.0.0.$$' },
    ]);
    expect(() => expandEnv(env, none, 'spec.containers[0].env')).toThrow(
      invalid('spec.containers[0].env[0].valueFrom'),
    );
  });
});

describe('expandPod', () => {
  const pod = podSchema.parse({
    metadata: { name: 'p' },
    spec: {
      initContainers: [{ name: 'i', command: ['$(X)'], env: [{ name: 'X', value: '1' }] }],
      containers: [
        {
          name: 'c',
          args: ['$(IP)', '$(HOST)', '$(A)', '$$(A)', '$(X)'],
          env: [
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIPs' } } },
            { name: 'A', value: 'cost $$5' },
          ],
          volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: 'of/$(A)' }],
        },
      ],
    },
  });

  it('leaves nothing for a classic plugin to expand', () => {
    const { containers, initContainers } = expandPod(pod, '10.1.2.3').spec;
    expect(initContainers?.[0]?.command).toEqual(['1']);
    expect(containers[0]).toMatchObject({
      args: ['10.1.2.3', '10.1.2.3', 'cost $5', '$(A)', '$(X)'],
      env: [
        { name: 'IP', value: '10.1.2.3' },
        { name: 'HOST', value: '10.1.2.3' },
        { name: 'A', value: 'cost $5' },
      ],
      volumeMounts: [{ subPath: 'of/cost $5', subPathExpr: undefined }],
    });
    expect(expandPod(pod, '').spec.containers[0]?.args?.[0]).toBe('');
  });

  it('refuses a subPathExpr with an unknown variable', () => {
    const mount = { name: 'v', mountPath: '/v', subPathExpr: '$(NOPE)' };
    const bad = { ...pod, spec: { ...pod.spec, containers: [{ name: 'c', volumeMounts: [mount] }] } };
    expect(() => expandPod(bad, '')).toThrow(invalid('spec.containers[0].volumeMounts[0].subPathExpr'));
  });
});
