import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InterlinkError } from '@interlink/contract';
import { careFor } from '../probes/settings.ts';
import { FakeReach } from '../testing/fake-reach.ts';
import { makeFact, makePod, sandbox } from '../testing/jobs.ts';
import { runHandler } from './handler.ts';

let engine = new FakeReach();
beforeEach(() => (engine = new FakeReach()));

async function run(
  postStart: Record<string, unknown>,
  signal = AbortSignal.timeout(5000),
): Promise<string | undefined> {
  const pod = makePod({ containers: [{ name: 'main', lifecycle: { postStart } }] });
  const [container] = pod.spec.containers;
  const handler = container && careFor(container).postStart;
  if (!container || !handler) throw new Error('no hook');
  const reach = { engine, sandbox: sandbox(), fact: makeFact({}), container, text: (text: string) => text };
  return runHandler(pod, reach, handler, signal);
}

const whose = 'for Container "main" in Pod "pod_ns(u)" failed - error:';

it('a command fails with its exit code and its output, or because it could not be run', async () => {
  expect(await run({ exec: { command: ['a', 'b'] } })).toBeUndefined();
  engine.answer = () => Promise.resolve({ exitCode: 3, stdout: 'out', stderr: 'err\n' });
  expect(await run({ exec: { command: ['a', 'b'] } })).toBe(
    `Exec lifecycle hook ([a b]) ${whose} command 'a b' exited with 3: , message: "outerr\\n"`,
  );
  engine.answer = () => Promise.reject(new InterlinkError('NotFound', 'no such container'));
  expect(await run({ exec: { command: ['a'] } })).toContain('no such container');
});

it('any answer to an HTTP hook will do, also a plain one to HTTPS; none will not', async () => {
  const server = createServer((_, response) => response.writeHead(500).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    expect(await run({ httpGet: { port, path: '/hook' } })).toBeUndefined();
    expect(await run({ httpGet: { port, path: '/hook', scheme: 'HTTPS' } })).toBeUndefined();
  } finally {
    server.close();
  }
  expect(await run({ httpGet: { port: 1, path: '/hook' } })).toMatch(
    /^HTTP lifecycle hook \(\/hook\) for Container "main"/,
  );
  expect(await run({ httpGet: { port: 'web' } })).toContain('no port "web"');
});

it('a sleep takes its time, unless it is cut', async () => {
  const before = performance.now();
  expect(await run({ sleep: { seconds: 0.05 } })).toBeUndefined();
  expect(performance.now() - before).toBeGreaterThan(40);
  expect(await run({ sleep: { seconds: 60 } }, AbortSignal.timeout(20))).toBe(
    `Sleep lifecycle hook (60) ${whose} container terminated before sleep hook finished`,
  );
});

it('tcpSocket is no hook', async () => {
  expect(await run({ tcpSocket: { port: 80 } })).toMatch(/^Cannot run handler: invalid handler/);
});
