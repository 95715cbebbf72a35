import { podStatusSchema, routes } from '@interlink/contract';
import { z } from 'zod';
import { json, ok, refused } from '../answer.ts';
import type { CallOptions, CaseContext } from '../case-context.ts';
import { same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { isRunning } from '../container-state.ts';
import { podRef, type TestPod } from '../test-pod.ts';

const running = (context: CaseContext): Promise<TestPod> =>
  context.shared('running', async (made) => {
    const pod = await made.start({ script: 'sleep 600' });
    await made.until(pod, 'the start of the pod', isRunning);
    return pod;
  });

async function findsPod(context: CaseContext, pod: TestPod, options: CallOptions, how: string): Promise<void> {
  const statuses = json(await context.call('status', [podRef(pod)], options), z.array(podStatusSchema), how);
  same(
    statuses.map(({ UID }) => UID),
    [pod.uid],
    `${how}: answered UIDs`,
  );
}

export const httpCases = section('http', 'core', [
  {
    name: 'get-body',
    title: 'A GET has a body, with its length or chunked',
    async run(context) {
      const pod = await running(context);
      await findsPod(context, pod, { method: 'GET' }, 'GET with Content-Length');
      await findsPod(context, pod, { method: 'GET', headers: { 'Transfer-Encoding': 'chunked' } }, 'chunked GET');
    },
  },
  {
    name: 'content-type',
    title: 'The body is JSON whatever its Content-Type says',
    async run(context) {
      const pod = await running(context);
      const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', 'nonsense'];
      for (const type of [...types, 'application/json; charset=utf-8', 'application/json']) {
        await findsPod(context, pod, { headers: { 'Content-Type': type } }, `Content-Type ${type}`);
      }
      const { headers: { 'Content-Type': _, ...headers } = {}, ...bare } = context.request(
        'status',
        JSON.stringify([podRef(pod)]),
      );
      ok(await context.target.peer.send({ ...bare, headers }), 'without a Content-Type');
    },
  },
  {
    name: 'any-method',
    title: 'Paths take any method: clients differ',
    async run(context) {
      const pod = await running(context);
      for (const method of ['GET', 'POST']) await findsPod(context, pod, { method }, `${method} /status`);
      for (const method of ['POST', 'DELETE']) {
        const unknown = podRef(context.pod({ script: 'true' }));
        ok(await context.call('delete', unknown, { method }), `${method} /delete`);
      }
    },
  },
]);

export const httpExtensionCases = section('http', 'extensions', [
  {
    name: 'unknown-path',
    title: 'A path that is not there is NotFound, in the form of all errors',
    async run(context) {
      const paths = ['/no-such-path', `${routes.status.path}/x`];
      for (const path of paths) refused(await context.get(path), show(path), 'NotFound');
    },
  },
]);
