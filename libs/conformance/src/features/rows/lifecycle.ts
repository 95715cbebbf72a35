import { check, same, show } from '../../check.ts';
import { conditionOf, endedWith, restartsOf, statusOf } from '../feature-context.ts';
import { featureRows } from '../feature-row.ts';

const seconds = (from: string | null | undefined, to: string | null | undefined) =>
  (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;

export const lifecycle = featureRows(import.meta.url, 'lifecycle', [
  {
    name: 'exit-code',
    title: 'Any exit code: Failed, reason Error, that code',
    run: async (context) => {
      const pod = await context.ended(await context.start({ script: 'exit 42' }));
      same(pod.status?.phase, 'Failed', 'phase');
      endedWith(pod, 42, 'Error');
    },
  },
  {
    name: 'on-failure',
    title: 'restartPolicy OnFailure: restarted until it succeeds, with restartCount and lastState',
    run: async (context) => {
      const name = await context.start({
        script: '[ -e /d/tried ] && exit 0; touch /d/tried; exit 5',
        container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
        spec: { restartPolicy: 'OnFailure', volumes: [{ name: 'd', emptyDir: {} }] },
      });
      const pod = await context.ended(name);
      same(pod.status?.phase, 'Succeeded', 'phase');
      const { restartCount, lastState } = statusOf(pod);
      same([restartCount, lastState?.terminated?.exitCode], [1, 5], 'restarts and the exit code before');
    },
  },
  {
    name: 'crash-loop',
    title: 'CrashLoopBackOff after the second crash, 10 s long, logs --previous',
    run: async (context) => {
      const name = await context.start({ script: 'echo crashed; exit 1', spec: { restartPolicy: 'Always' } });
      const waiting = await context.until(name, 'CrashLoopBackOff', (pod) => {
        return pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff';
      });
      const crashed = statusOf(waiting);
      check(crashed.restartCount >= 1, `restarts: ${crashed.restartCount}`);
      same(await context.logs(name, 'main', '--previous'), 'crashed\n', 'log of the attempt before');
      const again = await context.until(name, 'started again', (pod) => {
        return restartsOf(pod) > crashed.restartCount;
      });
      const { lastState, state } = statusOf(again);
      const pause = seconds(
        crashed.lastState?.terminated?.finishedAt,
        lastState?.terminated?.startedAt ?? state?.running?.startedAt,
      );
      check(pause >= 9 && pause <= 13, `pause between the crashes: ${pause} s`);
    },
  },
  {
    name: 'native-sidecar',
    title: 'A native sidecar starts first, restarts by itself, and ends after the main containers',
    run: async (context) => {
      const volumeMounts = [{ name: 'd', mountPath: '/d' }];
      const sidecar = 'echo begin >> /d/log; trap "echo end >> /d/log; exit 0" TERM; sleep 300 & wait';
      const name = await context.start({
        script: 'sleep 1; echo main >> /d/log; cat /d/log',
        container: { volumeMounts },
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          initContainers: [context.container('side', sidecar, { restartPolicy: 'Always', volumeMounts })],
        },
      });
      const pod = await context.ended(name);
      same(pod.status?.phase, 'Succeeded', 'phase');
      same(await context.logs(name), 'begin\nmain\n', 'log');
      const order = seconds(
        statusOf(pod).state?.terminated?.finishedAt,
        statusOf(pod, 'side').state?.terminated?.finishedAt,
      );
      check(order >= 0, `the sidecar ended ${-order} s before main`);
    },
  },
  {
    name: 'deadline',
    title: 'activeDeadlineSeconds ends the pod with DeadlineExceeded within 1 s',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 300', spec: { activeDeadlineSeconds: 4 } });
      const { status } = await context.ended(name);
      same([status?.phase, status?.reason], ['Failed', 'DeadlineExceeded'], 'phase and reason');
      const finished = status?.containerStatuses?.[0]?.state?.terminated?.finishedAt;
      // sleep as first process does not hear TERM: the grace period of 2 s comes on top.
      const late = seconds(status?.startTime, finished) - 6;
      check(Math.abs(late) <= 2, `ended ${late} s late`);
    },
  },
  {
    name: 'post-start',
    title: 'postStart runs beside the start; when it fails the container is killed',
    run: async (context) => {
      const exec = (script: string) => ({ lifecycle: { postStart: { exec: { command: ['sh', '-c', script] } } } });
      const good = await context.output({
        script: 'until [ -e /tmp/hook ]; do sleep 0.1; done; echo hooked',
        container: exec('touch /tmp/hook'),
      });
      same(good, 'hooked\n', 'log');
      const name = await context.start({ script: 'sleep 300', container: exec('exit 1') });
      same((await context.ended(name)).status?.phase, 'Failed', 'phase when the hook fails');
    },
  },
  {
    name: 'pre-stop',
    title: 'preStop runs before TERM, within the grace period',
    run: async (context) => {
      const name = await context.start({
        script: 'trap "echo term; exit 0" TERM; echo up; while :; do sleep 0.2; done',
        container: {
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1; sleep 2'] } } },
        },
        spec: { terminationGracePeriodSeconds: 20 },
      });
      await context.running(name);
      const following = context.logs(name, 'main', '-f');
      const started = performance.now();
      await context.ok(['delete', 'pod', name]);
      const took = (performance.now() - started) / 1000;
      check(took >= 2 && took < 6, `the delete took ${took.toFixed(1)} s`);
      same(await following, 'up\nstopping\nterm\n', 'log');
    },
  },
  {
    name: 'grace-period',
    title: 'A container that ignores TERM is killed when the grace period is over',
    run: async (context) => {
      const name = await context.start({
        script: 'trap "" TERM; while :; do sleep 1; done',
        spec: { terminationGracePeriodSeconds: 4 },
      });
      await context.running(name);
      const started = performance.now();
      await context.ok(['delete', 'pod', name]);
      const took = (performance.now() - started) / 1000;
      check(took >= 3.5 && took < 7, `the delete took ${took.toFixed(1)} s`);
    },
  },
  {
    name: 'termination-message',
    title: 'terminationMessagePath, and FallbackToLogsOnError',
    run: async (context) => {
      const message = async (script: string, container = {}) =>
        statusOf(await context.ended(await context.start({ script, container }))).state?.terminated?.message;
      same(await message('printf done > /dev/termination-log'), 'done', 'default path');
      const path = { terminationMessagePath: '/tmp/why' };
      same(await message('printf because > /tmp/why; exit 1', path), 'because', 'another path');
      const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' };
      same((await message('echo last words; exit 1', fallback))?.trim(), 'last words', 'from the log');
    },
  },
  {
    name: 'conditions',
    title:
      'Conditions and their times: PodReadyToStartContainers, Initialized, ContainersReady, Ready, readiness gates',
    run: async (context) => {
      const name = await context.start({
        script: 'sleep 300',
        spec: { readinessGates: [{ conditionType: 'example.com/gate' }] },
      });
      const pod = await context.until(name, 'ContainersReady', (pod) => conditionOf(pod, 'ContainersReady') === 'True');
      const seen = ['PodScheduled', 'PodReadyToStartContainers', 'Initialized', 'Ready'];
      same(
        seen.map((type) => conditionOf(pod, type)),
        ['True', 'True', 'True', 'False'],
        seen.join(),
      );
      const reason = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.['reason'];
      same(reason, 'ReadinessGatesNotReady', 'reason of Ready');
      const gate = { status: { conditions: [{ type: 'example.com/gate', status: 'True' }] } };
      await context.ok(['patch', 'pod', name, '--subresource=status', '-p', JSON.stringify(gate)]);
      await context.ready(name);
    },
  },
  {
    name: 'status-fields',
    title: 'containerID, imageID, started, ready, qosClass, podIP, hostIP, observedGeneration',
    run: async (context) => {
      const name = await context.start({
        script: 'sleep 300',
        container: { resources: { limits: { cpu: '100m', memory: '32Mi' } } },
      });
      const pod = await context.ready(name);
      const { containerID, imageID, started, ready, restartCount } = statusOf(pod);
      check(/^[a-z]+:\/\/\S+$/.test(containerID ?? ''), `containerID: ${show(containerID)}`);
      check(imageID !== '', 'imageID is empty');
      same([started, ready, restartCount], [true, true, 0], 'started, ready, restartCount');
      const status: Record<string, unknown> = { ...pod.status };
      same(status['qosClass'], 'Guaranteed', 'qosClass');
      check(/^[0-9.]+$/.test(String(status['podIP'])), `podIP: ${show(status['podIP'])}`);
      check(/^[0-9.]+$/.test(String(status['hostIP'])), `hostIP: ${show(status['hostIP'])}`);
      same(status['observedGeneration'], pod.metadata['generation'], 'observedGeneration');
    },
  },
  {
    name: 'restart-rules',
    title: 'Restart rules of a container: an exit code of the list restarts it, others do not',
    run: async (context) => {
      const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
      const name = await context.start({
        script: '[ -e /d/tried ] && exit 7; touch /d/tried; exit 42',
        container: {
          restartPolicy: 'Never',
          restartPolicyRules: rules,
          volumeMounts: [{ name: 'd', mountPath: '/d' }],
        },
        spec: { volumes: [{ name: 'd', emptyDir: {} }] },
      });
      const pod = await context.ended(name);
      endedWith(pod, 7, 'Error');
      same(statusOf(pod).restartCount, 1, 'restarts');
    },
  },
]);
