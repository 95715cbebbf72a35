import { podStatusSchema } from '@interlink/contract';
import { z } from 'zod';
import { json } from '../answer.ts';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded, isRunning, stateOf } from '../container-state.ts';
import { testContainer } from '../test-pod.ts';

export const statusCases = section('status', 'core', [
  {
    name: 'running',
    title: 'A running pod: its identity, the job id, the container ready and since when it runs',
    async run(context) {
      const pod = context.pod({ script: 'sleep 600' });
      const { PodJID } = await context.create(pod);
      const status = await context.until(pod, 'the start of the pod', isRunning);
      const { name, namespace, UID, JID } = status;
      same(
        { name, namespace, UID, JID },
        { name: pod.name, namespace: pod.namespace, UID: pod.uid, JID: PodJID },
        'status',
      );
      const [container] = status.containers ?? [];
      same(status.containers?.length, 1, 'number of containers');
      same(
        { ready: container?.ready, restartCount: container?.restartCount },
        { ready: true, restartCount: 0 },
        'container',
      );
      check(
        isTime(container?.state?.running?.startedAt),
        `running.startedAt is no RFC 3339 time: ${show(container?.state)}`,
      );
      same(status.phase ?? 'Running', 'Running', 'phase');
    },
  },
  {
    name: 'succeeded',
    title: 'A pod that ended with 0: exit code, reason Completed, begin and end',
    async run(context) {
      const pod = await context.start({ script: 'sleep 1; exit 0' });
      const status = await context.until(pod, 'the end of the pod', hasEnded);
      const terminated = stateOf(status)?.terminated;
      same([terminated?.exitCode, terminated?.reason], [0, 'Completed'], 'exit code and reason');
      const { startedAt, finishedAt } = terminated ?? {};
      check(
        isTime(startedAt) && isTime(finishedAt),
        `startedAt or finishedAt is no RFC 3339 time: ${show(terminated)}`,
      );
      check(Date.parse(startedAt) <= Date.parse(finishedAt), `it ended before it began: ${show(terminated)}`);
      same(status.phase ?? 'Succeeded', 'Succeeded', 'phase');
    },
  },
  {
    name: 'failed',
    title: 'A pod that ended with 7: exit code 7, reason Error',
    async run(context) {
      const pod = await context.start({ script: 'exit 7' });
      const status = await context.until(pod, 'the end of the pod', hasEnded);
      const terminated = stateOf(status)?.terminated;
      same([terminated?.exitCode, terminated?.reason], [7, 'Error'], 'exit code and reason');
      same(status.phase ?? 'Failed', 'Failed', 'phase');
    },
  },
  {
    name: 'init-containers',
    title: 'Init containers run first, one after the other, and have rows of their own',
    async run(context) {
      const { image } = context.target;
      const volumeMounts = [{ name: 'd', mountPath: '/d' }];
      const init = (name: string, script: string) =>
        testContainer(name, image, { command: ['sh', '-c', script], volumeMounts });
      const pod = await context.start({
        script: 'cat /d/order',
        container: { volumeMounts },
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          initContainers: [init('first', 'sleep 1; echo 1 >> /d/order'), init('second', 'echo 2 >> /d/order')],
        },
      });
      const status = await context.until(pod, 'the end of the pod', hasEnded);
      same(
        status.initContainers?.map(({ name }) => name),
        ['first', 'second'],
        'names of initContainers',
      );
      same(
        ['first', 'second', 'main'].map((name) => exitCodeOf(status, name)),
        [0, 0, 0],
        'exit codes',
      );
      same(await context.logs(pod), '1\n2\n', 'what the init containers left in an emptyDir');
    },
  },
  {
    name: 'whole-pods',
    title: 'Whole pods in the question, as interLink sends them, are answered the same',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      const answer = await context.call('status', [{ ...pod.pod, status: { phase: 'Running' } }]);
      same(
        json(answer, z.array(podStatusSchema), 'status').map(({ UID }) => UID),
        [pod.uid],
        'answered UIDs',
      );
    },
  },
  {
    name: 'unknown',
    title: 'A pod that is not known has no entry, and blinds nobody else',
    async run(context) {
      const pod = await context.start({ script: 'sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      const strangers = [context.pod({ script: 'true' }), context.pod({ script: 'true' })];
      const [before, after] = [strangers.slice(0, 1), strangers.slice(1)];
      const statuses = await context.statuses([...before, pod, ...after]);
      same(
        statuses.map(({ UID }) => UID),
        [pod.uid],
        'answered UIDs',
      );
      same(await context.statuses(strangers), [], 'status of unknown pods');
    },
  },
]);

function isTime(text: string | null | undefined): text is string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text ?? '');
}
