import { InterlinkError } from '@interlink/contract';
import { CommandBench, exec, spdyStreams, success } from '../testing/command-bench.ts';
import { until } from '../testing/spdy-client.ts';

let bench: CommandBench;
beforeEach(async () => {
  bench = await CommandBench.start();
});
afterEach(() => bench.stop());

describe.each([
  ['exec', 'error executing command in container: no such thing'],
  ['attach', 'error attaching to container: no such thing'],
])('an error of the site during %s', (kind, message) => {
  const expected = {
    status: 'Failure',
    reason: 'InternalError',
    code: 500,
    message: `Internal error occurred: ${message}`,
  };

  const path = `/${kind}/ns/pod/c?input=1&output=1&error=1&command=sh`;
  const failing = new InterlinkError('Invalid', 'no such thing');

  it('is told as a Status where the command cannot be started', async () => {
    bench.kubelet.exec = bench.kubelet.attach = () => Promise.reject(failing);
    const first = await bench.ws(path, 'v5.channel.k8s.io');
    await until(() => first.closed !== undefined);
    expect(JSON.parse(first.text(3))).toMatchObject(expected);
  });

  it('is told as a Status after what the command has said', async () => {
    const { client } = await bench.spdy(path);
    const { error = 0, stdout = 0 } = await spdyStreams(client, 'error', 'stdin', 'stdout', 'stderr');
    await until(() => bench.called.length === 1);
    bench.command.stdout?.write('half');
    bench.command.end({ error: failing });
    expect(JSON.parse(await client.whole(error))).toMatchObject(expected);
    expect(client.text(stdout)).toBe('half');
  });
});

it('hangs up on the command when the client goes', async () => {
  const client = await bench.ws(exec, 'v5.channel.k8s.io');
  await until(() => bench.called.length === 1);
  client.ws.terminate();
  await until(() => bench.command.isClosed);

  const second = await bench.spdy(exec);
  await spdyStreams(second.client, 'error', 'stdin', 'stdout', 'stderr');
  await until(() => bench.called.length === 2);
  second.client.transport.destroy();
  await until(() => bench.command.isClosed);
});

it('lets a command end that reads no more while the client goes on', async () => {
  const client = await bench.ws(exec, 'v5.channel.k8s.io');
  await until(() => bench.called.length === 1);
  bench.command.stdin?.destroy();
  for (let index = 0; index < 64; index++) client.ws.send(Buffer.alloc(64 * 1024));
  bench.command.stdout?.write('enough');
  bench.command.end({ exitCode: 0 });
  await until(() => client.closed !== undefined);
  expect([client.text(1), JSON.parse(client.text(3))]).toEqual(['enough', success]);
});

it('ends open streams with a word why when it stops', async () => {
  const client = await bench.ws(exec, 'v5.channel.k8s.io');
  const { client: other } = await bench.spdy(exec);
  const { error = 0 } = await spdyStreams(other, 'error', 'stdin', 'stdout', 'stderr');
  await until(() => bench.called.length === 2);
  await Promise.all([
    bench.kubelet.server.stop(),
    until(() => client.closed !== undefined),
    other.whole(error).then(() => other.transport.end()),
  ]);
  for (const text of [client.text(3), other.text(error)]) {
    expect((JSON.parse(text) as { message: string }).message).toContain('the kubelet of this node is stopping');
  }
});
