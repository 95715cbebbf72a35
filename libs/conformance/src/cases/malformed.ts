import { setTimeout as sleep } from 'node:timers/promises';
import { routes } from '@interlink/contract';
import { refused } from '../answer.ts';
import type { CaseContext } from '../case-context.ts';
import { logBody } from '../log-body.ts';
import { check, show, skip } from '../check.ts';
import { section } from '../conformance-case.ts';
import { createBody, type JsonObject } from '../test-pod.ts';

const bodied = ['create', 'delete', 'status', 'logs'] as const;
type Bodied = (typeof bodied)[number];

/** Each body in turn: refused in the contract's form, and the target lives on. */
async function allRefused(context: CaseContext, bodies: readonly (readonly [Bodied, unknown])[]): Promise<void> {
  for (const [route, body] of bodies) {
    refused(await context.call(route, body), `${routes[route].path} ${show(body)}`);
  }
  await context.alive('what was refused');
}

const mebibyte = 1024 * 1024;
const floodBytes = 64 * mebibyte;
const depth = 200_000;

export const malformedCases = section('malformed', 'extensions', [
  {
    name: 'json',
    title: 'What is not JSON is refused on every path',
    async run(context) {
      const texts = ['{"pod":', '[{]', 'nonsense', '{"metadata":{"name":"a"}} trailing', '\u0000'];
      await allRefused(
        context,
        bodied.flatMap((route) => texts.map((text) => [route, text] as const)),
      );
    },
  },
  {
    name: 'shape',
    title: 'JSON of the wrong shape is refused on every path',
    async run(context) {
      const common = ['{}', '5', '"text"', 'true', '[5]', '[[]]'];
      const pod = context.pod({ script: 'true' });
      const body = createBody(context.target.leg, pod);
      const { metadata } = pod.pod;
      await allRefused(context, [
        ...bodied.flatMap((route) => common.map((text) => [route, text] as const)),
        ['create', []],
        ['create', [body, body]],
        ['create', { ...body, pod: { metadata } }],
        ['create', { ...body, pod: { metadata, spec: { containers: [] } } }],
        ['create', { ...body, pod: [pod.pod] }],
        ['delete', []],
        ['delete', { metadata: {} }],
        ['status', [{ metadata }, {}]],
        ['logs', []],
        ['logs', { ...logBody(pod), PodUID: undefined }],
      ]);
    },
  },
  {
    name: 'types',
    title: 'A value of the wrong type is refused, by its field where there is one',
    async run(context) {
      const pod = context.pod({ script: 'true' });
      const { leg, image } = context.target;
      const create = (metadata: JsonObject, container: JsonObject) =>
        createBody(leg, {
          ...pod,
          pod: {
            metadata: { ...pod.pod.metadata, ...metadata },
            spec: { containers: [{ name: 'main', image, ...container }] },
          },
        });
      await allRefused(context, [
        ['create', create({ name: 5 }, {})],
        ['create', create({ uid: {} }, {})],
        ['create', create({ labels: { a: 5 } }, {})],
        ['create', create({}, { command: 'sh' })],
        ['create', create({}, { env: [{ name: 'A', value: 5 }] })],
        ['delete', { metadata: { ...pod.pod.metadata, uid: 7 } }],
        ['status', [{ metadata: { name: pod.name, uid: [] } }]],
        ['logs', logBody(pod, { Tail: '3' })],
        ['logs', logBody(pod, { Follow: 'yes' })],
        ['logs', { ...logBody(pod), ContainerName: 5 }],
      ]);
      const { field } = refused(await context.call('create', create({}, { command: 'sh' })), 'command as text');
      check(field?.includes('command') === true, `the field is not named: expected command, got ${show(field)}`);
    },
  },
  {
    name: 'null',
    title: 'null, and no body at all, are refused',
    async run(context) {
      await allRefused(
        context,
        bodied.flatMap(
          (route) =>
            [
              [route, 'null'],
              [route, undefined],
            ] as const,
        ),
      );
    },
  },
  {
    name: 'no-uid',
    title: 'A create or delete without a UID is refused: nothing else makes it idempotent',
    async run(context) {
      const pod = context.pod({ script: 'true' });
      const metadata = { ...pod.pod.metadata, uid: '' };
      await allRefused(context, [
        ['create', { ...createBody(context.target.leg, pod), pod: { ...pod.pod, metadata } }],
        ['delete', { metadata }],
      ]);
    },
  },
  {
    name: 'deep',
    title: `JSON nested ${depth} deep is refused, alone and as a field of a pod`,
    async run(context) {
      const nested = '['.repeat(depth) + ']'.repeat(depth);
      const text = JSON.stringify(createBody(context.target.leg, context.pod({ script: 'true' })));
      const inSpec = text.replace('"restartPolicy":', () => `"conformanceDeep":${nested},"restartPolicy":`);
      await allRefused(context, [...bodied.map((route) => [route, nested] as const), ['create', inSpec]]);
    },
  },
  {
    name: 'too-large',
    title: 'A body over the limit is TooLarge (413)',
    async run(context) {
      const answer = await context.target.peer.flood(context.request('create', undefined), floodBytes);
      if (answer.status === 400) skip(`the target reads bodies of ${floodBytes / mebibyte} MiB`);
      refused(answer, `a body of ${floodBytes / mebibyte} MiB`, 'TooLarge');
      await context.alive('a body over the limit');
    },
  },
  {
    name: 'aborted',
    title: 'Callers that hang up in the middle of their body do no harm',
    async run(context) {
      for (const route of bodied) {
        for (let times = 0; times < 3; times++) {
          await context.target.peer.cutInBody(context.request(route, '[{"metadata":'), 1000);
        }
      }
      await sleep(200, undefined, { signal: context.signal });
      await context.alive('bodies that broke off');
    },
  },
]);
