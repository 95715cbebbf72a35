import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandBench, exec, exitCode, success } from '../../testing/command-bench.ts';
import { echo } from '../../testing/fake-command.ts';
import { until } from '../../testing/spdy-client.ts';

let bench: CommandBench;
beforeEach(async () => {
  bench = await CommandBench.start();
});
afterEach(() => bench.stop());

describe('over a WebSocket', () => {
  it('v5: carries all channels, half-close, and the exit code', async () => {
    const client = await bench.ws(exec, 'v5.channel.k8s.io', 'v4.channel.k8s.io');
    expect(client.ws.protocol).toBe('v5.channel.k8s.io');
    await until(() => bench.called.length === 1 && client.messages.length === 1);
    // The kubelet's sign that the connection is there.
    expect(client.messages[0]).toEqual(Buffer.from([1]));
    client.ws.send(Buffer.from('\0quest'));
    client.ws.send(Buffer.from('\0ion'));
    client.ws.send(Buffer.from([255, 0]));
    let asked = '';
    bench.command.stdin?.on('data', (data) => (asked += String(data)));
    await until(() => bench.command.stdin?.readableEnded === true);
    expect(asked).toBe('question');
    bench.command.stdout?.write('answer');
    bench.command.stderr?.write('complaint');
    bench.command.end({ exitCode: 0 });
    await until(() => client.closed !== undefined);
    expect([client.text(1), client.text(2), JSON.parse(client.text(3)), client.closed]).toEqual([
      'answer',
      'complaint',
      success,
      1000,
    ]);
  });

  it.each(['v4.base64.channel.k8s.io', 'base64.channel.k8s.io'])('%s: the same in text', async (protocol) => {
    bench.kubelet.exec = async (call) => {
      const echoing = echo(call);
      echoing.stdin?.once('data', () => setTimeout(() => echoing.end({ exitCode: 9 }), 10));
      return echoing;
    };
    const client = await bench.ws('/exec/ns/pod/c?input=1&output=1&command=cat', protocol);
    client.ws.send(`0${Buffer.from('grüße 🚀').toString('base64')}`);
    await until(() => client.closed !== undefined);
    const texts = client.messages.map(String);
    const of = (channel: string) =>
      texts
        .flatMap((text) => (text.startsWith(channel) ? Buffer.from(text.slice(1), 'base64').toString() : []))
        .join('');
    expect(of('1')).toBe('grüße 🚀');
    if (protocol.startsWith('v4')) expect(JSON.parse(of('3'))).toMatchObject(exitCode(9));
    else expect(of('3')).toBe('command terminated with non-zero exit code: exit status 9');
  });

  it('without a subprotocol: the first version', async () => {
    const client = await bench.ws('/attach/ns/pod/u1/c?output=1');
    await until(() => bench.called.length === 1);
    bench.command.end({ exitCode: 4 });
    await until(() => client.closed !== undefined);
    // How a container ended is no error of who looked on.
    expect(client.text(3)).toBe('');
  });

  it('tells terminal sizes, and drops what no channel is for', async () => {
    const client = await bench.ws(`${exec}&tty=1`, 'v4.channel.k8s.io');
    client.ws.send(Buffer.from('\x09nonsense'));
    client.ws.send(Buffer.from('\x01not for me'));
    client.ws.send(Buffer.alloc(0));
    client.ws.send(Buffer.from('\x04{"Width":80,"Height":24}'));
    await until(() => bench.called.length === 1 && bench.command.sizes.length === 1);
    client.ws.terminate();
  });

  it('closes at a half-close of no channel', async () => {
    const client = await bench.ws(exec, 'v5.channel.k8s.io');
    client.ws.send(Buffer.from([255, 77]));
    await until(() => client.closed !== undefined);
    expect(client.closed).toBe(1002);
    await until(() => bench.command.isClosed);
  });

  it('reads no faster than the command, and has room for the rest once it does', async () => {
    const client = await bench.ws(exec, 'v5.channel.k8s.io');
    await until(() => bench.called.length === 1);
    const message = Buffer.alloc(64 * 1024);
    for (let index = 0; index < 256; index++) client.ws.send(message);
    client.ws.send(Buffer.from([255, 0]));
    await delay(300);
    const { _socket: socket } = client.ws as unknown as { _socket: { bytesWritten: number; writableLength: number } };
    expect(socket.writableLength).toBeGreaterThan(8 * 1024 * 1024);
    let size = 0;
    bench.command.stdin?.on('data', (data: Buffer) => (size += data.length));
    await until(() => bench.command.stdin?.readableEnded === true);
    expect(size).toBe(256 * (message.length - 1));
    client.ws.terminate();
  });

  it('writes no faster than the client reads', async () => {
    const client = await bench.ws(exec, 'v5.channel.k8s.io');
    await until(() => bench.called.length === 1);
    client.ws.pause();
    let produced = 0;
    const piece = Buffer.alloc(64 * 1024);
    while (produced < 256 * 1024 * 1024) {
      produced += piece.length;
      if (bench.command.stdout?.write(piece)) continue;
      const drained = await Promise.race([once(bench.command.stdout ?? client.ws, 'drain'), delay(300)]);
      if (drained === undefined) break;
    }
    expect(produced).toBeLessThan(32 * 1024 * 1024);
    client.ws.terminate();
  });
});
