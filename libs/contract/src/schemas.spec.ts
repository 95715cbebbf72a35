import fc from 'fast-check';
import type { z } from 'zod';
import {
  createRequestSchema,
  logRequestSchema,
  logsSince,
  logsTail,
  pingReplySchema,
  podStatusSchema,
  retrievedPodSchema,
  sidecarCreateSchema,
} from './core.ts';
import { configMapSchema, podRefSchema, podSchema, secretSchema } from './pod.ts';

/** Fields that no version of ours knows, with any JSON in them; and known ones as Go writes their absence. */
const level = (known: Record<string, unknown>, ...nullable: string[]) =>
  fc.tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.subarray(nullable)).map(([extra, absent]) => ({
    ...Object.fromEntries(Object.entries(extra).map(([key, value]) => [`x-${key}`, value])),
    ...Object.fromEntries(absent.map((key) => [key, null])),
    ...known,
  }));

const nest = (outer: fc.Arbitrary<object>, parts: Record<string, fc.Arbitrary<unknown>>) =>
  fc.tuple(outer, fc.record(parts)).map(([object, inner]) => ({ ...object, ...inner }));
const list = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: 1, maxLength: 2 });

const metadata = level(
  { name: 'p', namespace: 'n', uid: 'u' },
  'labels',
  'annotations',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
);
const env = level({ name: 'E' }, 'value', 'valueFrom');
const container = nest(
  level({ name: 'c' }, 'image', 'command', 'args', 'workingDir', 'envFrom', 'resources', 'volumeMounts'),
  { env: list(env) },
);
const volume = level({ name: 'v' }, 'emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI');
const status = level({ phase: 'Pending' }, 'conditions', 'containerStatuses', 'podIP', 'startTime');
const spec = nest(level({}, 'initContainers', 'tolerations', 'imagePullSecrets', 'terminationGracePeriodSeconds'), {
  containers: list(container),
  volumes: list(volume),
});
const pod = nest(level({}), { metadata, spec, status });
const object = nest(level({}, 'data', 'immutable'), { metadata: level({ name: 'o' }, 'namespace') });
const containerStatus = level(
  { name: 'c', ready: true, restartCount: 1, image: 'i', imageID: '' },
  'state',
  'lastState',
  'containerID',
  'started',
);
const podStatus = nest(level({ name: 'p', namespace: 'n', UID: 'u', JID: 'j' }, 'initContainers'), {
  containers: list(containerStatus),
});

describe('Pod-shaped data passes through untouched', () => {
  it.each<[string, z.ZodType, fc.Arbitrary<unknown>]>([
    ['pod', podSchema, pod],
    ['pod reference', podRefSchema, pod],
    ['ConfigMap', configMapSchema, object],
    ['Secret', secretSchema, object],
    ['pod status', podStatusSchema, podStatus],
    [
      'create, vk-node to API',
      createRequestSchema,
      nest(level({}, 'configmaps', 'secrets', 'projectedvolumesmaps', 'pullSecrets', 'expandEnv'), { pod }),
    ],
    [
      'create, API to sidecar',
      retrievedPodSchema,
      nest(level({}, 'jobConfig', 'jobScript', 'pullSecrets'), {
        pod,
        container: list(level({ name: 'c' }, 'configMaps', 'projectedvolumemaps', 'secrets', 'emptyDirs')),
      }),
    ],
  ])('%s', (_, schema, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(schema.parse(value)).toEqual(value);
      }),
      { numRuns: 60 },
    );
  });

  it('fills in what Go omits when it is zero', () => {
    expect(podRefSchema.parse({ metadata: { name: 'p' } }).metadata).toEqual({
      name: 'p',
      namespace: 'default',
      uid: '',
    });
    expect(podStatusSchema.parse({ name: 'p', UID: 'u', namespace: 'n', containers: [{ name: 'c' }] })).toMatchObject({
      JID: '',
      containers: [{ ready: false, restartCount: 0, image: '', imageID: '' }],
    });
  });
});

describe("a sidecar's create", () => {
  const one = { pod: { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [{ name: 'c' }] } } };

  it.each([
    ['the object of today', one],
    ['the older array of one', [one]],
  ])('is %s', (_, body) => expect(sidecarCreateSchema.parse(body)).toEqual(one));

  it.each([
    ['two pods', [one, one]],
    ['none', []],
    ['no containers', { pod: { ...one.pod, spec: { containers: [] } } }],
    ['no spec', { pod: { metadata: one.pod.metadata } }],
    ['null', null],
  ])('is not %s', (_, body) => expect(sidecarCreateSchema.safeParse(body).success).toBe(false));
});

describe('log options', () => {
  const request = { Namespace: 'n', PodUID: 'u', PodName: 'p', ContainerName: 'c' };
  const opts = (given: object) => logRequestSchema.parse({ ...request, Opts: given }).Opts;
  const now = Date.parse('2026-01-01T00:00:10Z');

  it('may be left out altogether', () => {
    const { Opts } = logRequestSchema.parse(request);
    expect(Opts).toEqual(opts({}));
    expect([logsTail(Opts), logsSince(Opts, now), Opts.Follow, Opts.Bytes]).toEqual([undefined, undefined, false, 0]);
  });

  it.each([
    [{ Tail: 0 }, undefined],
    [{ Tail: 3 }, 3],
    [{ Tail: 3, TailLines: 0 }, 0],
    [{ TailLines: 7 }, 7],
  ])('%j wants %s lines', (given, lines) => expect(logsTail(opts(given))).toBe(lines));

  it.each([
    [{ SinceSeconds: 0, SinceTime: '0001-01-01T00:00:00Z' }, undefined],
    [{ SinceSeconds: 4 }, now - 4000],
    [{ SinceTime: '2026-01-01T00:00:01.5Z' }, now - 8500],
    [{ SinceTime: '2026-01-01T01:00:00+01:00' }, now - 10_000],
    [{ SinceTime: 'yesterday' }, undefined],
  ])('%j is since %s', (given, since) => expect(logsSince(opts(given), now)).toBe(since));

  it.each([{ Tail: 1.5 }, { Tail: '3' }, { Follow: 'yes' }])('refuses %j', (given) => {
    expect(logRequestSchema.safeParse({ ...request, Opts: given }).success).toBe(false);
  });
});

describe('ping', () => {
  it('takes resources and taints as interLink has them, and nulls', () => {
    const reply = {
      status: 'ok',
      resources: { cpu: '64', memory: null, accelerators: [{ resourceType: 'nvidia.com/gpu', available: '8' }] },
      taints: [{ key: 'maint', value: 'true', effect: 'NoSchedule' }],
    };
    expect(pingReplySchema.parse(reply)).toEqual(reply);
    expect(pingReplySchema.parse({ resources: null, taints: null })).toMatchObject({ status: 'ok' });
  });
});
