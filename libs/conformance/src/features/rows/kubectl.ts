import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, same } from '../../check.ts';
import { featureRows } from '../feature-row.ts';

const digest = (data: Buffer) => hash('sha256', data, 'hex');

export const kubectlRows = featureRows(import.meta.url, 'kubectl', [
  {
    name: 'exec',
    title: 'kubectl exec: output, both streams, exit code, standard input',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 300' });
      await context.running(name);
      const run = (args: string[], input?: string) =>
        context.kubectl(['exec', ...args], input === undefined ? {} : { input });
      const answer = await run([name, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
      same([answer.code, answer.stdout], [7, 'out\n'], 'exit code and output');
      check(answer.stderr.startsWith('err\n'), `error output: ${answer.stderr}`);
      const text = 'x'.repeat(1_000_000);
      const { stdout } = await run(['-i', name, '--', 'wc', '-c'], text);
      same(stdout.trim(), '1000000', 'bytes of standard input');
      check((await run([name, '--', '/no/such'])).code !== 0, 'a program that is not there succeeded');
    },
  },
  {
    name: 'attach',
    title: 'kubectl run -i and attach: standard input reaches the process',
    run: async (context) => {
      const { image, nodeName } = context.target;
      const overrides = JSON.stringify({ apiVersion: 'v1', spec: { nodeName } });
      const args = ['run', 'attached', `--image=${image}`, '-i', '--restart=Never', '--overrides', overrides];
      const { stdout, code, stderr } = await context.kubectl([...args, '--', 'sh', '-c', 'sleep 2; wc -c'], {
        input: 'hello',
      });
      check(code === 0 && stdout.includes('5'), `kubectl run -i: exit code ${code}, ${stdout} ${stderr}`);
    },
  },
  {
    name: 'cp',
    title: 'kubectl cp of 8 MiB there and back',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 300' });
      await context.running(name);
      const dir = await mkdtemp(join(tmpdir(), 'interlink-cp-'));
      try {
        const data = randomBytes(8 * 2 ** 20);
        const [there, back] = [join(dir, 'there'), join(dir, 'back')];
        await writeFile(there, data);
        await context.ok(['cp', there, `${name}:/tmp/file`]);
        await context.ok(['cp', `${name}:/tmp/file`, back]);
        same(digest(await readFile(back)), digest(data), 'checksum');
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  },
  {
    name: 'logs',
    title: 'kubectl logs: --tail, --since, --timestamps, --limit-bytes, -f to the end',
    run: async (context) => {
      const name = await context.start({
        script: 'for i in 1 2 3 4 5; do echo line $i; done; until [ -e /tmp/go ]; do sleep 0.1; done; echo last',
      });
      await context.running(name);
      const following = context.logs(name, 'main', '-f');
      const until = async (lines: number) => {
        while ((await context.logs(name)).split('\n').length <= lines) check(!context.signal.aborted, 'no log');
      };
      await until(5);
      same(await context.logs(name, 'main', '--tail=2'), 'line 4\nline 5\n', '--tail');
      same(await context.logs(name, 'main', '--limit-bytes=6'), 'line 1', '--limit-bytes');
      const stamped = await context.logs(name, 'main', '--timestamps', '--tail=1');
      check(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 5\n$/.test(stamped), `--timestamps: ${stamped}`);
      await context.exec(name, ['touch', '/tmp/go']);
      same((await following).split('\n').length, 7, 'lines of logs -f');
    },
  },
  {
    name: 'port-forward',
    title: 'kubectl port-forward to a server in the pod',
    run: async (context) => {
      const serve = 'mkdir -p /www; echo forwarded > /www/index.html; exec httpd -f -p 8080 -h /www';
      const name = await context.start({ script: serve });
      await context.running(name);
      const port = 33_000 + Math.floor(Math.random() * 5000);
      const forwarding = context.kubectl(['port-forward', name, `${port}:8080`], { timeoutMs: 15_000 });
      const ended = forwarding.then(
        ({ stderr }) => stderr,
        (error: unknown) => String(error),
      );
      let text = '';
      for (let tries = 0; text === '' && tries < 40; tries++) {
        const asked = fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
        text = await asked.then((answer) => answer.text()).catch(() => '');
        if (text === '') await new Promise((resolve) => setTimeout(resolve, 250));
      }
      await context.ok(['delete', 'pod', name, '--grace-period=0', '--force']);
      same(text, 'forwarded\n', `answer (${text === '' ? await ended : ''})`);
    },
  },
  {
    name: 'debug',
    title: 'kubectl debug: an ephemeral container in a running pod',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 300' });
      await context.running(name);
      const { image } = context.target;
      await context.ok(['debug', name, `--image=${image}`, '-c', 'debugger', '--', 'sh', '-c', 'echo debugging']);
      await context.until(name, 'the debugger to have run', ({ status }) => {
        return status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode === 0;
      });
      same(await context.logs(name, 'debugger'), 'debugging\n', 'log');
    },
  },
  {
    name: 'describe-and-events',
    title: 'kubectl describe shows node, state and Events',
    run: async (context) => {
      const name = await context.start({ script: 'true' });
      await context.ended(name);
      const reasons = (await context.events(name)).map(({ reason }) => reason);
      check(reasons.includes('Submitted'), `Events: ${reasons.join()}`);
      const text = await context.ok(['describe', 'pod', name]);
      for (const part of [context.target.nodeName, 'Completed', 'Submitted']) {
        check(text.includes(part), `describe lacks ${part}`);
      }
    },
  },
  {
    name: 'stats',
    title: 'Use of cpu and memory by /stats/summary and /metrics/resource of the node',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 300' });
      await context.running(name);
      const node = `/api/v1/nodes/${context.target.nodeName}/proxy`;
      const summary = await context.ok(['get', '--raw', `${node}/stats/summary`]);
      check(summary.includes(`"${name}"`) && summary.includes('workingSetBytes'), 'the summary lacks the pod');
      const metrics = await context.ok(['get', '--raw', `${node}/metrics/resource`]);
      check(
        new RegExp(`container_memory_working_set_bytes\\{.*pod="${name}".*\\} [1-9]`).test(metrics),
        'no memory metric',
      );
    },
  },
]);
