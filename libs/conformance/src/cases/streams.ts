import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  InterlinkError,
  routes,
  type CommandStreams,
  type ContractClient,
  type ErrorCode,
  type ExecRequest,
} from '@interlink/contract';
import { refused } from '../answer.ts';
import type { CaseContext } from '../case-context.ts';
import { check, Failure, same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { isRunning } from '../container-state.ts';
import type { TestPod } from '../test-pod.ts';

const mebibyte = 1024 * 1024;

async function running(context: CaseContext, script: string, container = {}): Promise<TestPod> {
  const pod = await context.start({ script, container });
  await context.until(pod, 'the start of the pod', isRunning);
  return pod;
}

function target({ uid, namespace, name }: TestPod) {
  return { podUID: uid, namespace, podName: name };
}

function execOf(pod: TestPod, script: string, more: Partial<ExecRequest> = {}): ExecRequest {
  const command = ['sh', '-c', script];
  const streams = { stdin: false, stdout: true, stderr: true, tty: false };
  return { ...target(pod), containerName: 'main', command, ...streams, ...more };
}

function start(context: CaseContext, open: 'exec' | 'attach', request: ExecRequest): Promise<CommandStreams> {
  return client(context)[open](request, { owner: context.target.owner, signal: context.signal });
}

const client = ({ target: { peer, leg } }: CaseContext): ContractClient => peer.client(leg);
const given = (output: Readable | undefined) => (output === undefined ? '' : text(output));

async function result(streams: CommandStreams): Promise<unknown> {
  const [outcome, out, err] = await Promise.all([streams.outcome, given(streams.stdout), given(streams.stderr)]);
  return 'error' in outcome ? { error: outcome.error.message, out, err } : { exitCode: outcome.exitCode, out, err };
}

async function refusedBefore(what: string, code: ErrorCode, call: Promise<CommandStreams | Duplex>): Promise<void> {
  try {
    const open = await call;
    if ('close' in open) open.close();
    else open.destroy();
  } catch (error) {
    check(error instanceof InterlinkError && error.code === code, `${what}: expected ${code}, got ${String(error)}`);
    return;
  }
  throw new Failure(`${what}: it was opened`);
}

export const streamCases = section('streams', 'extensions', [
  {
    name: 'exec',
    title: 'A command gives its outputs apart and its exit code, and takes its arguments as they are',
    needs: 'exec',
    async run(context) {
      const pod = await running(context, 'sleep 600');
      const streams = await start(context, 'exec', execOf(pod, 'echo out; echo err >&2; exit 42'));
      same(await result(streams), { exitCode: 42, out: 'out\n', err: 'err\n' }, 'the command');
      const argv = execOf(pod, '', { command: ['printf', '%s|', 'a b', '$HOME "x"', ''] });
      same(
        await result(await start(context, 'exec', argv)),
        { exitCode: 0, out: 'a b|$HOME "x"||', err: '' },
        'printf',
      );
    },
  },
  {
    name: 'stdin',
    title: '2 MiB of stdin come back whole, and its end arrives',
    needs: 'exec',
    async run(context) {
      const pod = await running(context, 'sleep 600');
      const streams = await start(context, 'exec', execOf(pod, 'cat', { stdin: true, stderr: false }));
      const sent = Buffer.alloc(2 * mebibyte, 'interlink');
      streams.stdin?.end(sent);
      const back = streams.stdout === undefined ? Buffer.alloc(0) : await buffer(streams.stdout);
      check(back.equals(sent), `expected ${sent.length} bytes as they were sent, got ${back.length}`);
      same(await streams.outcome, { exitCode: 0 }, 'the outcome');
    },
  },
  {
    name: 'terminal',
    title: 'A terminal has one output, and takes its size',
    needs: 'exec',
    async run(context) {
      const pod = await running(context, 'sleep 600');
      const script = 'until stty size 2>/dev/null | grep -q "50 132"; do sleep 0.1; done; tty -s && echo yes >&2';
      const streams = await start(context, 'exec', execOf(pod, script, { tty: true }));
      streams.resize({ width: 132, height: 50 });
      same(await result(streams), { exitCode: 0, out: 'yes\r\n', err: '' }, 'the command');
    },
  },
  {
    name: 'exec-refused',
    title: 'A command in what does not run, or of another owner, is NotFound before it begins',
    needs: 'exec',
    async run(context) {
      const pod = await running(context, 'sleep 600');
      const wanted = execOf(pod, 'true');
      await refusedBefore(
        'no such container',
        'NotFound',
        start(context, 'exec', { ...wanted, containerName: 'none' }),
      );
      await refusedBefore('no such pod', 'NotFound', start(context, 'exec', { ...wanted, podUID: 'nobody-knows' }));
      const { status } = await context.call('status', [], { owner: context.target.otherOwner });
      if (status === 403) return;
      const stranger = client(context).exec(wanted, { owner: context.target.otherOwner, signal: context.signal });
      await refusedBefore('another owner', 'NotFound', stranger);
    },
  },
  {
    name: 'no-upgrade',
    title: 'A stream that is not asked for as a WebSocket is refused in the form of all errors',
    needs: 'exec',
    async run(context) {
      for (const route of ['exec', 'attach', 'portForward'] as const) {
        refused(await context.call(route), `${routes[route].path} without an upgrade`);
      }
      await context.alive('requests without an upgrade');
    },
  },
  {
    name: 'attach',
    title: 'The streams of the container itself can be joined, and hanging up leaves it running',
    needs: 'attach',
    async run(context) {
      const pod = await running(context, 'while read line; do echo "heard $line"; done', { stdin: true });
      const wanted = execOf(pod, '', { stdin: true, stderr: false });
      for (const word of ['one', 'two']) {
        const streams = await start(context, 'attach', wanted);
        streams.stdin?.write(`${word}\n`);
        check(streams.stdout !== undefined, 'there is no stdout');
        const [heard] = (await once(streams.stdout, 'data', { signal: context.signal })) as [Buffer];
        same(String(heard), `heard ${word}\n`, 'the container');
        streams.close();
      }
    },
  },
  {
    name: 'port-forward',
    title: 'A connection to a port ends each direction by itself; one to nobody is an error',
    needs: 'portForward',
    async run(context) {
      const pod = await running(context, 'while :; do nc -l -p 8081 -e cat; done');
      const sent = Buffer.alloc(mebibyte, 'interlink');
      const forward = (port: number) =>
        client(context).portForward({ ...target(pod), port }, { owner: context.target.owner, signal: context.signal });
      for (;;) {
        const connection = await forward(8081);
        connection.end(sent);
        const back = await buffer(connection).catch(() => undefined);
        if (back?.equals(sent)) break;
        // The server may not listen yet.
        await sleep(200, undefined, { signal: context.signal });
      }
      const nobody = await forward(8099);
      const error: unknown = await text(nobody).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      check(error instanceof InterlinkError, `a connection to nobody ended with ${String(error)}`);
    },
  },
  {
    name: 'stats',
    title: 'What the running pods of the owner use is told, and nobody else sees it',
    needs: 'stats',
    async run(context) {
      const pod = await running(context, 'sleep 600');
      const ask = (owner: string) => client(context).stats({ owner, signal: context.signal });
      const mine = (await ask(context.target.owner)).pods.find(({ uid }) => uid === pod.uid);
      const [main] = mine?.containers ?? [];
      check(main?.name === 'main', 'the pod, or its container, is missing');
      check((main.memoryWorkingSetBytes ?? 0) > 0, 'memoryWorkingSetBytes is missing');
      check((main.cpuUsageCoreNanoSeconds ?? 0) > 0, 'cpuUsageCoreNanoSeconds is missing');
      const { status } = await context.call('status', [], { owner: context.target.otherOwner });
      if (status === 403) return;
      const theirs = (await ask(context.target.otherOwner)).pods.filter(({ uid }) => uid === pod.uid);
      same(theirs, [], 'pods that another owner sees');
    },
  },
]);
