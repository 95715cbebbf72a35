import { check, same } from '../../check.ts';
import { conditionOf, restartsOf, statusOf } from '../feature-context.ts';
import { featureRows } from '../feature-row.ts';

const serve = 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www';
const every = { periodSeconds: 1, failureThreshold: 1 };
const slowStop = { terminationGracePeriodSeconds: 1 };

export const probes = featureRows(import.meta.url, 'probes', [
  {
    name: 'readiness',
    title: 'A readiness probe turns the pod Ready and back, and never restarts it',
    run: async (context) => {
      const name = await context.start({
        script: 'sleep 300',
        container: { readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, ...every } },
      });
      const pod = await context.running(name);
      same([statusOf(pod).ready, statusOf(pod).started], [false, true], 'ready, started');
      await context.exec(name, ['touch', '/tmp/ready']);
      await context.ready(name);
      await context.exec(name, ['rm', '/tmp/ready']);
      const unready = await context.until(name, 'not Ready', (pod) => conditionOf(pod, 'Ready') === 'False');
      same([statusOf(unready).ready, statusOf(unready).restartCount], [false, 0], 'ready, restarts');
    },
  },
  {
    name: 'liveness',
    title: 'A failing liveness probe restarts the container in time',
    run: async (context) => {
      const name = await context.start({
        script: 'touch /tmp/alive; sleep 3; rm -f /tmp/alive; sleep 300',
        container: {
          livenessProbe: { exec: { command: ['test', '-e', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 2 },
        },
        spec: { restartPolicy: 'Always', ...slowStop },
      });
      const pod = await context.until(name, 'restarted', (pod) => restartsOf(pod) === 1);
      const before = statusOf(pod).lastState?.terminated;
      const lived = (Date.parse(before?.finishedAt ?? '') - Date.parse(before?.startedAt ?? '')) / 1000;
      // 3 s until it is gone, up to a period and the second failure, and the grace period.
      check(lived >= 4 && lived <= 8, `the container was stopped after ${lived} s`);
      same(before?.exitCode, 137, 'exit code');
    },
  },
  {
    name: 'startup',
    title: 'A startup probe holds the others back, and started says so',
    run: async (context) => {
      const name = await context.start({
        script: 'sleep 4; touch /tmp/up; sleep 300',
        container: {
          startupProbe: { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 30 },
          livenessProbe: { exec: { command: ['test', '-e', '/tmp/up'] }, ...every },
        },
        spec: { restartPolicy: 'Always' },
      });
      same(statusOf(await context.running(name)).started, false, 'started');
      const pod = await context.until(name, 'started', (pod) => statusOf(pod).started === true);
      same(statusOf(pod).restartCount, 0, 'restarts');
    },
  },
  {
    name: 'http-and-tcp',
    title: 'httpGet by named port and tcpSocket probes',
    run: async (context) => {
      const container = (path: string) => ({
        ports: [{ name: 'web', containerPort: 8080 }],
        readinessProbe: { httpGet: { path, port: 'web' }, ...every },
        livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 10 },
      });
      const good = await context.start({ script: serve, container: container('/index.html') });
      const bad = await context.start({ script: serve, container: container('/none') });
      await context.ready(good);
      same(conditionOf(await context.pod(bad), 'Ready'), 'False', 'Ready of the pod that answers 404');
    },
  },
  {
    name: 'tcp-liveness',
    title: 'A tcpSocket liveness probe of a port where nobody listens restarts the container',
    run: async (context) => {
      const name = await context.start({
        script: 'sleep 300',
        container: { livenessProbe: { tcpSocket: { port: 9 }, periodSeconds: 1, failureThreshold: 2 } },
        spec: { restartPolicy: 'Always', ...slowStop },
      });
      await context.until(name, 'restarted', (pod) => restartsOf(pod) >= 1);
    },
  },
]);
