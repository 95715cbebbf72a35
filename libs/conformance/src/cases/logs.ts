import { refused } from '../answer.ts';
import type { CaseContext } from '../case-context.ts';
import { logBody } from '../log-body.ts';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded, isRunning } from '../container-state.ts';
import type { TestPod } from '../test-pod.ts';

const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`);
const bulk = { line: '0123456789abcdef', count: 200_000 };

/** A pod that has ended and written 20 lines. */
const written = (context: CaseContext): Promise<TestPod> =>
  context.shared('logs', async (made) => {
    const pod = await made.start({ script: 'i=1; while [ $i -le 20 ]; do echo "line $i"; i=$((i+1)); done' });
    await made.until(pod, 'the end of the pod', hasEnded);
    return pod;
  });

export const logCases = section('logs', 'core', [
  {
    name: 'whole',
    title: 'The log of an ended container, whole and byte for byte, as text/plain',
    async run(context) {
      const answer = await context.call('logs', logBody(await written(context)));
      same([answer.status, answer.text], [200, lines.join('')], 'getLogs');
      const type = answer.headers['content-type'] ?? '';
      check(type.startsWith('text/plain'), `content type: expected text/plain, got ${show(type)}`);
    },
  },
  {
    name: 'both-outputs',
    title: 'What goes to stdout and to stderr is in the log',
    async run(context) {
      const pod = await context.start({ script: 'echo out; echo err >&2' });
      await context.until(pod, 'the end of the pod', hasEnded);
      same((await context.logs(pod)).trim().split('\n').sort(), ['err', 'out'], 'lines of the log');
    },
  },
  {
    name: 'large',
    title: 'A log of 3.4 MB arrives whole',
    async run(context) {
      const pod = await context.start({ script: `yes ${bulk.line} | head -n ${bulk.count}` });
      await context.until(pod, 'the end of the pod', hasEnded);
      const log = await context.logs(pod);
      check(log === `${bulk.line}\n`.repeat(bulk.count), `the log has ${log.length} bytes, or others than written`);
    },
  },
  {
    name: 'tail',
    title: 'Tail 3 gives the last three lines; Tail 0, as interLink has it, all',
    async run(context) {
      const pod = await written(context);
      same(await context.logs(pod, { Tail: 3 }), lines.slice(-3).join(''), 'Tail 3');
      same(await context.logs(pod, { Tail: 0 }), lines.join(''), 'Tail 0');
      same(await context.logs(pod, { Tail: 500 }), lines.join(''), 'Tail 500');
    },
  },
  {
    name: 'bytes',
    title: 'Bytes 10 gives the first ten bytes',
    async run(context) {
      const pod = await written(context);
      same(await context.logs(pod, { Bytes: 10 }), lines.join('').slice(0, 10), 'Bytes 10');
    },
  },
  {
    name: 'timestamps',
    title: 'Timestamps puts an RFC 3339 time before each line',
    async run(context) {
      const log = await context.logs(await written(context), { Timestamps: true });
      const bad = log
        .split('\n')
        .slice(0, -1)
        .find((line) => !stamped.test(line));
      check(bad === undefined, `a line without a time: ${show(bad)}`);
      same(log.replace(eachStamp, ''), lines.join(''), 'the lines behind the times');
    },
  },
  {
    name: 'since',
    title: 'SinceSeconds and SinceTime leave out what is older',
    async run(context) {
      const pod = await context.start({ script: 'echo old; sleep 6; echo new; sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      const follow = await context.target.peer.open(
        context.request('logs', JSON.stringify(logBody(pod, { Follow: true }))),
      );
      try {
        let log = '';
        for await (const chunk of follow) {
          log += String(chunk);
          if (log.includes('new')) break;
        }
      } finally {
        follow.destroy();
      }
      same(await context.logs(pod, { SinceSeconds: 3 }), 'new\n', 'SinceSeconds 3');
      const stamps = [...(await context.logs(pod, { Timestamps: true })).matchAll(eachStamp)].map(([time]) =>
        Date.parse(time.trim()),
      );
      const [old = NaN, recent = NaN] = stamps;
      const between = new Date((old + recent) / 2).toISOString();
      same(await context.logs(pod, { SinceTime: between }), 'new\n', `SinceTime ${between}`);
    },
  },
  {
    name: 'so-far',
    title: 'Without Follow the log of a running container is what there is so far',
    async run(context) {
      const pod = await context.start({ script: 'echo begin; sleep 600' });
      await context.until(pod, 'the start of the pod', isRunning);
      let log = await context.logs(pod);
      while (log === '') log = await context.logs(pod);
      same(log, 'begin\n', 'log');
    },
  },
  {
    name: 'follow',
    title: 'Follow gives lines as they are written and ends with the container',
    async run(context) {
      const pod = await context.start({ script: 'echo begin; sleep 3; echo end; exit 5' });
      await context.until(pod, 'the start of the pod', (status) => isRunning(status) || hasEnded(status));
      const body = JSON.stringify(logBody(pod, { Follow: true }));
      const stream = await context.target.peer.open(context.request('logs', body));
      same(stream.statusCode, 200, 'status');
      let log = '';
      let early = false;
      for await (const chunk of stream) {
        log += String(chunk);
        early ||= log === 'begin\n';
      }
      same(log, 'begin\nend\n', 'the followed log');
      check(early, 'the first line came only together with the last one');
      same(exitCodeOf(await context.until(pod, 'the end of the pod', hasEnded)), 5, 'exit code after the stream');
    },
  },
]);

export const logExtensionCases = section('logs', 'extensions', [
  {
    name: 'unknown-container',
    title: 'A container that the pod has not got is refused',
    async run(context) {
      const pod = await written(context);
      refused(await context.call('logs', logBody(pod, {}, 'nosuch')), 'log of an unknown container');
    },
  },
  {
    name: 'unknown-pod',
    title: 'The log of an unknown pod is NotFound',
    async run(context) {
      const stranger = context.pod({ script: 'true' });
      refused(await context.call('logs', logBody(stranger)), 'log of an unknown pod', 'NotFound');
    },
  },
  {
    name: 'tail-lines',
    title: 'TailLines 0 gives nothing, TailLines 2 two lines',
    async run(context) {
      const pod = await written(context);
      same(await context.logs(pod, { TailLines: 0 }), '', 'TailLines 0');
      same(await context.logs(pod, { TailLines: 2 }), lines.slice(-2).join(''), 'TailLines 2');
    },
  },
  {
    name: 'previous',
    title: 'A container that failed is started again under OnFailure; Previous gives the log of the failed run',
    async run(context) {
      const pod = await context.start({
        script: 'if [ -e /d/x ]; then echo second; sleep 600; else touch /d/x; echo first; exit 3; fi',
        container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
        spec: { restartPolicy: 'OnFailure', volumes: [{ name: 'd', emptyDir: {} }] },
      });
      const again = await context.until(pod, 'the second run', (status) => isRunning(status) && restarts(status) === 1);
      same(again.containers?.[0]?.lastState?.terminated?.exitCode, 3, 'exit code in lastState');
      same(await context.logs(pod, { Previous: true }), 'first\n', 'Previous');
    },
  },
]);

const eachStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) /gm;
const stamped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) /;

function restarts(status: { containers?: { restartCount: number }[] | null | undefined }): number | undefined {
  return status.containers?.[0]?.restartCount;
}
