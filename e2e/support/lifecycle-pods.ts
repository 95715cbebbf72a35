import { image, type PodOptions } from './world.ts';

/** What happened, and the machine's uptime then. */
export type Entry = [what: string, uptime: number];

/** Shell: a line with what happened and when, on the container's output. */
const say = (what: string) => `read up rest < /proc/uptime; echo ${what} $up`;
/** The same, from a process that is not the container's own. */
const sayAside = (what: string) => `${say(what)} > /proc/1/fd/1`;
const sh = (script: string) => ['sh', '-c', script];
const forever = 'while :; do sleep 0.1; done';
const exec = (script: string) => ({ exec: { command: sh(script) } });
const always = { restartPolicy: 'Always' };

const scratch = { volumes: [{ name: 'scratch', emptyDir: {} }] };
const mounted = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
const note = (what: string) => `${say(what)} >> /scratch/log`;
const container = (name: string, script: string, more: object = {}) => ({
  name,
  image,
  command: sh(script),
  ...mounted,
  ...more,
});

/** A busy machine takes its time for each look. */
const patient = { timeoutSeconds: 5 };

const inits: PodOptions[] = [
  {
    name: 'sidecars',
    script: `${note('main')}; sleep 1; ${note('main-end')}`,
    container: mounted,
    spec: {
      ...scratch,
      terminationGracePeriodSeconds: 20,
      initContainers: [
        container(
          'first',
          `${note('first')}; trap '${note('first-end')}; cat /scratch/log; exit 7' TERM; sleep 2; ${note('ready')}; touch /scratch/ready; ${forever}`,
          {
            ...always,
            startupProbe: { ...exec('test -e /scratch/ready'), periodSeconds: 1, failureThreshold: 20, ...patient },
          },
        ),
        container('once', note('once')),
        container('second', `trap '${note('second-end')}; exit 0' TERM; ${note('second')}; ${forever}`, always),
      ],
    },
  },
];

const second = { periodSeconds: 1, failureThreshold: 1, ...patient };
const webServer = 'mkdir -p /www; echo well > /www/health; httpd -p 8080 -h /www';

const probed: PodOptions[] = [
  {
    name: 'liveness',
    script: `${say('start')}; touch /tmp/well; trap '${say('term')}' TERM; sleep 4; rm /tmp/well; ${say('sick')}; ${forever}`,
    spec: { ...always, terminationGracePeriodSeconds: 60 },
    container: {
      livenessProbe: {
        ...exec('test -e /tmp/well'),
        ...{ periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 2, terminationGracePeriodSeconds: 2 },
        ...patient,
      },
    },
  },
  {
    name: 'readiness',
    script: 'sleep 2; touch /tmp/ready; sleep 8; rm /tmp/ready; sleep 600',
    spec: always,
    container: { readinessProbe: { ...exec('test -e /tmp/ready'), periodSeconds: 1, failureThreshold: 2, ...patient } },
  },
  {
    name: 'startup',
    script: 'sleep 3; touch /tmp/well; sleep 600',
    spec: always,
    container: {
      startupProbe: { ...exec('test -e /tmp/well'), periodSeconds: 1, failureThreshold: 20, ...patient },
      livenessProbe: { ...exec('test -e /tmp/well'), ...second },
    },
  },
  {
    name: 'never-starts',
    script: forever,
    spec: always,
    container: { startupProbe: { ...exec('false'), periodSeconds: 1, failureThreshold: 3 } },
  },
  {
    name: 'probes',
    script: `${webServer}; sleep 600`,
    spec: {
      ...always,
      ...scratch,
      containers: [
        container('web', `${webServer}; sleep 600`, {
          readinessProbe: { httpGet: { port: 8080, path: '/health' }, ...second },
        }),
        container('named', 'sleep 600', {
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { httpGet: { port: 'http', path: '/health' }, ...second },
        }),
        container('tcp', 'sleep 600', { readinessProbe: { tcpSocket: { port: 8080 }, ...second } }),
        container('exec', 'sleep 600', { readinessProbe: { ...exec('true'), ...second } }),
        container('missing', 'sleep 600', { readinessProbe: { httpGet: { port: 8080, path: '/nope' }, ...second } }),
        container('nobody', 'sleep 600', { readinessProbe: { tcpSocket: { port: 9999 }, ...second } }),
      ],
    },
  },
];

const hooked: PodOptions[] = [
  {
    name: 'post-start',
    script: '',
    spec: {
      ...scratch,
      containers: [
        container('main', `${say('main')}; sleep 600`, {
          lifecycle: { postStart: exec(`${sayAside('hook')}; sleep 2`) },
        }),
        container('next', `${say('next')}; sleep 600`),
      ],
    },
  },
  {
    name: 'post-start-fails',
    script: `trap 'exit 9' TERM; ${forever}`,
    spec: { terminationGracePeriodSeconds: 10 },
    container: { lifecycle: { postStart: exec('sleep 0.5; exit 1') } },
  },
  {
    name: 'pre-stop',
    script: `trap '${say('term')}; while :; do sleep 0.2; ${say('still')}; done' TERM; ${forever}`,
    spec: { terminationGracePeriodSeconds: 30 },
    container: { lifecycle: { preStop: exec(`${sayAside('pre-stop')}; sleep 2`) } },
  },
];

const late: PodOptions[] = [
  {
    name: 'late',
    script: `trap 'exit 5' TERM; ${forever}`,
    spec: { activeDeadlineSeconds: 4, terminationGracePeriodSeconds: 20, restartPolicy: 'OnFailure' },
  },
  { name: 'early', script: 'true', spec: { activeDeadlineSeconds: 300 } },
];

const lastWords: PodOptions[] = [
  {
    name: 'says',
    script: 'printf bye > /dev/termination-log; exit 3',
    container: { securityContext: { runAsUser: 1234 } },
  },
  {
    name: 'elsewhere',
    script: 'printf "over here" > /tmp/last-words',
    container: { terminationMessagePath: '/tmp/last-words' },
  },
  {
    name: 'from-log',
    script: 'echo line 1; echo line 2; exit 1',
    container: { terminationMessagePolicy: 'FallbackToLogsOnError' },
  },
  { name: 'silent', script: 'echo a log; exit 1' },
  {
    name: 'hungry-child',
    script: '',
    spec: {
      ...scratch,
      containers: [
        container('main', 'tail /dev/zero; exit 3', { resources: { limits: { memory: '32Mi' } } }),
        container('other', 'sleep 1'),
      ],
    },
  },
];

const restarted: PodOptions[] = [
  { name: 'debugged', script: 'sleep 601', spec: always },
  { name: 'loop', script: 'exit 4', spec: always },
  {
    name: 'hooked',
    script: 'sleep 600',
    spec: always,
    container: { lifecycle: { postStart: exec(sayAside('hook')) } },
  },
  {
    name: 'sick',
    script: 'trap "exit 6" TERM; while :; do sleep 0.1; done',
    spec: always,
    container: { livenessProbe: { ...exec('false'), periodSeconds: 2, failureThreshold: 3 } },
  },
];

export const lifecyclePods: readonly PodOptions[] = [inits, probed, hooked, late, lastWords, restarted].flat();
