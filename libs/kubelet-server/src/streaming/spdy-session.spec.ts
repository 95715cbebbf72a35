import { once } from 'node:events';
import { CommandBench, exec, exitCode, spdyStreams, success } from '../testing/command-bench.ts';
import { echo } from '../testing/fake-command.ts';
import { until } from '../testing/spdy-client.ts';
import { controlType } from './spdy/frames.ts';

let bench: CommandBench;
beforeEach(async () => {
  bench = await CommandBench.start();
});
afterEach(() => bench.stop());

describe('over SPDY', () => {
  it('carries all streams, each to its end, and tells the exit code', async () => {
    const { client, version } = await bench.spdy(
      `${exec}&command=-c&command=true`,
      'v5.channel.k8s.io v4.channel.k8s.io',
    );
    expect(version).toBe('v4.channel.k8s.io');
    const {
      error = 0,
      stdin = 0,
      stdout = 0,
      stderr = 0,
    } = await spdyStreams(client, 'error', 'stdin', 'stdout', 'stderr');
    await until(() => bench.called.length === 1);
    expect(bench.called).toMatchObject([
      { podUID: 'u1', namespace: 'ns', podName: 'pod', containerName: 'c', command: ['sh', '-c', 'true'], tty: false },
    ]);
    client.send(stdin, 'question', true);
    expect(String(await once(bench.command.stdin ?? client.transport, 'data'))).toBe('question');
    await once(bench.command.stdin ?? client.transport, 'end');
    bench.command.stdout?.write('answer');
    bench.command.stderr?.write('complaint');
    bench.command.end({ exitCode: 7 });
    expect(JSON.parse(await client.whole(error))).toMatchObject(exitCode(7));
    expect(await client.whole(stdout)).toBe('answer');
    expect(await client.whole(stderr)).toBe('complaint');
    await until(() => client.isClosed);
    expect(client.got(controlType.goAway)).toHaveLength(1);
    // A reset would be an error in the client's eyes.
    expect(client.got(controlType.rstStream)).toEqual([]);
  });

  it('carries megabytes both ways', async () => {
    bench.kubelet.exec = async (call) => echo(call);
    const { client } = await bench.spdy(exec);
    const { error = 0, stdin = 0, stdout = 0 } = await spdyStreams(client, 'error', 'stdin', 'stdout', 'stderr');
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let index = 0; index < 128; index++) {
      client.send(stdin, piece);
      if (client.transport.writableNeedDrain) await once(client.transport, 'drain');
    }
    client.send(stdin, '', true);
    expect(JSON.parse(await client.whole(error))).toEqual(success);
    expect(client.size(stdout)).toBe(128 * piece.length);
  });

  it('tells terminal sizes, and has no stderr with a terminal', async () => {
    const { client } = await bench.spdy(`${exec}&tty=1`);
    const { resize = 0 } = await spdyStreams(client, 'error', 'stdin', 'stdout', 'resize');
    await until(() => bench.called.length === 1);
    expect(bench.called).toMatchObject([{ tty: true, stdin: true, stdout: true, stderr: false }]);
    client.send(resize, '{"Width":80,"Height":24}\n{"wid');
    client.send(resize, 'th":100,"height":30}{"Width":-1,"Height":2}{"Width":1,"Height":1}');
    await until(() => bench.command.sizes.length === 2);
    expect(bench.command.sizes).toEqual([
      { width: 80, height: 24 },
      { width: 100, height: 30 },
    ]);
  });

  it('before v4 tells plain text, and nothing for success', async () => {
    const { client, version } = await bench.spdy('/exec/ns/pod/c?output=1&command=sh', '', 'GET');
    expect(version).toBeUndefined();
    const { error = 0 } = await spdyStreams(client, 'error', 'stdout');
    await until(() => bench.called.length === 1);
    bench.command.end({ exitCode: 3 });
    expect(await client.whole(error)).toBe('command terminated with non-zero exit code: exit status 3');
    const second = await bench.spdy('/exec/ns/pod/c?output=1&command=sh', 'v2.channel.k8s.io');
    const ids = await spdyStreams(second.client, 'error', 'stdout');
    await until(() => bench.called.length === 2);
    bench.command.end({ exitCode: 0 });
    expect(await second.client.whole(ids['error'] ?? 0)).toBe('');
  });

  it('resets streams that were not asked for', async () => {
    const { client } = await bench.spdy('/exec/ns/pod/c?output=1&command=sh');
    const { stdin, stdout = 0, error } = await spdyStreams(client, 'stdin', 'stdout', 'error');
    await until(() => bench.called.length === 1);
    expect(client.got(controlType.rstStream)).toEqual([[stdin, 5]]);
    expect(error).toBeGreaterThan(stdout);
  });
});
