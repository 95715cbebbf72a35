import { setTimeout as sleep } from 'node:timers/promises';
import { createReplySchema, podStatusSchema, type PodStatus } from '@interlink/contract';
import { z } from 'zod';
import type { CaseContext } from '../case-context.ts';
import { logBody } from '../log-body.ts';
import { check, Failure, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded, isRunning } from '../container-state.ts';
import { parseJson } from '../parse-json.ts';
import type { Answer } from '../peer.ts';
import { createBody, type TestPod, type TestPodOptions } from '../test-pod.ts';

const pollMs = 500;

function exactly200(answer: Answer, what: string): void {
  const why = answer.status > 200 && answer.status < 300 ? ": interLink's virtual kubelet takes only 200" : '';
  check(answer.status === 200, `${what}: the target answered ${answer.status}${why || ` ${show(answer.text)}`}`);
}

/** Plugins speak one of two dialects, and which one is found out by the first create. */
async function create(context: CaseContext, options: TestPodOptions): Promise<TestPod> {
  const known = context.target.leg === 'api' ? 'object' : await context.shared('dialect', dialectOf);
  const pod = context.pod(options);
  const body = createBody(context.target.leg, pod);
  const answer = await context.sendCreate(pod, known === 'array' ? [body] : body);
  exactly200(answer, 'create');
  const reply = createReplySchema.safeParse(parseJson(answer.text));
  check(
    reply.success,
    `create: interLink's virtual kubelet takes only {"PodUID", "PodJID"}, and fails the pod while the job runs; got ${show(answer.text)}`,
  );
  same(reply.data.PodUID, pod.uid, 'PodUID');
  context.note = `create as ${known === 'array' ? 'an array, the older dialect' : 'an object'}`;
  return pod;
}

async function dialectOf(context: CaseContext): Promise<'object' | 'array'> {
  const takes = async (body: (pod: TestPod) => unknown) => {
    const pod = context.pod({ script: 'exit 0' });
    const { status } = await context.sendCreate(pod, body(pod));
    return status >= 200 && status < 300;
  };
  if (await takes((pod) => createBody('sidecar', pod))) return 'object';
  return (await takes((pod) => [createBody('sidecar', pod)])) ? 'array' : 'object';
}

/** interLink asks about one whole pod and reads the first element. */
async function statusOf(context: CaseContext, pod: TestPod): Promise<PodStatus | undefined> {
  const answer = await context.call('status', [{ ...pod.pod, status: { phase: 'Running' } }]);
  exactly200(answer, 'status');
  const list = z.array(podStatusSchema).nullable().safeParse(parseJson(answer.text));
  check(list.success, `status: expected an array of statuses, got ${show(answer.text)}`);
  return list.data?.[0];
}

async function until(
  context: CaseContext,
  pod: TestPod,
  what: string,
  holds: (status: PodStatus | undefined) => boolean,
) {
  let last: PodStatus | undefined;
  try {
    for (;;) {
      last = await statusOf(context, pod);
      if (holds(last)) return last;
      await sleep(pollMs, undefined, { signal: context.signal });
    }
  } catch (cause) {
    if (!context.signal.aborted) throw cause;
    throw new Failure(`${what}: not so at the deadline; the last status was ${show(last)}`, { cause });
  }
}

const whenDefined = (holds: (status: PodStatus) => boolean) => (status: PodStatus | undefined) =>
  status !== undefined && holds(status);

export const classicCases = section('classic', 'classic', [
  {
    name: 'ping',
    title: 'A ping answers 200, whatever its text',
    async run(context) {
      exactly200(await (context.target.leg === 'sidecar' ? context.call('status', []) : context.call('ping')), 'ping');
    },
  },
  {
    name: 'create',
    title: 'A create, as an object or as an array, answers 200 with PodUID and PodJID',
    async run(context) {
      await create(context, { script: 'exit 0' });
    },
  },
  {
    name: 'running',
    title: 'The status of a running pod: an array with its UID and its container running',
    async run(context) {
      const pod = await create(context, { script: 'sleep 600' });
      const status = await until(context, pod, 'the start of the pod', whenDefined(isRunning));
      same(status?.UID, pod.uid, 'UID');
    },
  },
  {
    name: 'ended',
    title: 'The status of an ended pod: its exit code',
    async run(context) {
      const pod = await create(context, { script: 'exit 3' });
      const status = await until(context, pod, 'the end of the pod', whenDefined(hasEnded));
      same(status && exitCodeOf(status), 3, 'exit code');
    },
  },
  {
    name: 'logs',
    title: 'The log of an ended pod, as text',
    async run(context) {
      const pod = await create(context, { script: 'echo conformance-line' });
      await until(context, pod, 'the end of the pod', whenDefined(hasEnded));
      const answer = await context.call('logs', logBody(pod));
      exactly200(answer, 'getLogs');
      check(answer.text.includes('conformance-line'), `the line is not in the log: ${show(answer.text)}`);
    },
  },
  {
    name: 'delete',
    title: 'A delete answers 200, and the pod is not said to run any more',
    async run(context) {
      const pod = await create(context, { script: 'sleep 600' });
      await until(context, pod, 'the start of the pod', whenDefined(isRunning));
      exactly200(await context.call('delete', pod.pod), 'delete');
      await until(context, pod, 'the end of the pod', (status) => status === undefined || !isRunning(status));
    },
  },
]);
