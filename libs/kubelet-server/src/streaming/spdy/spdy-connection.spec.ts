import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { duplexPair, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SpdyClient, until } from '../../testing/spdy-client.ts';
import { controlType, defaultWindow, maxWindow } from './frames.ts';
import { SpdyConnection } from './spdy-connection.ts';
import type { SpdyStream } from './spdy-stream.ts';

let client: SpdyClient;
let connection: SpdyConnection;
let running: Promise<Error | undefined>;
let streams: SpdyStream[];
beforeEach(() => {
  const [server, other] = duplexPair();
  client = new SpdyClient(other);
  streams = [];
  connection = new SpdyConnection(server, (stream) => streams.push(stream));
  running = connection.run();
});
afterEach(async () => {
  client.transport.destroy();
  await running;
});

async function opened(headers: Record<string, string> = {}): Promise<{ id: number; stream: SpdyStream }> {
  const id = await client.open(headers);
  await until(() => streams.some((stream) => stream.id === id));
  const stream = streams.find((one) => one.id === id);
  if (stream === undefined) throw new Error('no stream');
  return { id, stream };
}

it('accepts streams, each with its headers, and keeps them apart', async () => {
  const one = await opened({ streamtype: 'data', port: '80' });
  const two = await opened({ streamtype: 'error' });
  expect(client.got(controlType.synReply)).toEqual([[1], [3]]);
  expect(one.stream.headers.get('port')).toBe('80');
  client.send(two.id, 'to two', true);
  client.send(one.id, 'to ');
  client.send(one.id, 'one', true);
  expect(await Promise.all([text(one.stream), text(two.stream)])).toEqual(['to one', 'to two']);
  // The other direction is open still, and ends on its own.
  one.stream.write('answer');
  one.stream.end(' of one');
  expect(await client.whole(one.id)).toBe('answer of one');
  expect(client.isFinished(two.id)).toBe(false);
});

it('takes a stream that the client ends as it opens it', async () => {
  const id = await client.open({ streamtype: 'error' }, { fin: true });
  await until(() => streams.length === 1);
  const [stream] = streams;
  stream?.resume();
  await until(() => stream?.readableEnded === true);
  stream?.end('said');
  expect(await client.whole(id)).toBe('said');
  // Both sides are done: nothing to reset.
  await delay(10);
  expect(client.got(controlType.rstStream)).toEqual([]);
});

it('answers pings of the client, and leaves be what it does not know', async () => {
  client.numbers(controlType.ping, 1);
  client.numbers(controlType.ping, 2);
  client.numbers(42, 1, 2, 3);
  client.numbers(controlType.goAway, 0, 0);
  client.numbers(controlType.rstStream, 99, 5);
  client.numbers(controlType.windowUpdate, 99, 5);
  client.numbers(controlType.ping, 3);
  await until(() => client.got(controlType.ping).length === 2);
  expect(client.got(controlType.ping)).toEqual([[1], [3]]);
});

it('resets a stream that is not wanted, and destroys one that the client resets', async () => {
  const one = await opened();
  one.stream.destroy();
  await until(() => client.got(controlType.rstStream).length === 1);
  expect(client.got(controlType.rstStream)).toEqual([[one.id, 5]]);
  client.send(one.id, 'on its way already');
  const two = await opened();
  const lost = new Promise<Error>((resolve) => two.stream.once('error', resolve));
  client.numbers(controlType.rstStream, two.id, 5);
  expect((await lost).message).toContain('reset by the client');
  expect(client.got(controlType.rstStream)).toHaveLength(1);
});

describe('a slow reader here', () => {
  it('is granted for as it reads, so that a client that keeps windows stops', async () => {
    const { id, stream } = await opened();
    client.send(id, Buffer.alloc(defaultWindow));
    await delay(20);
    const before = client.got(controlType.windowUpdate).reduce((sum, [, bytes = 0]) => sum + bytes, 0);
    expect(before).toBeLessThanOrEqual(defaultWindow);
    stream.resume();
    await until(() => stream.readableLength === 0);
    client.send(id, Buffer.alloc(defaultWindow));
    const granted = () => client.got(controlType.windowUpdate).reduce((sum, [, bytes = 0]) => sum + bytes, 0);
    await until(() => granted() >= 1.5 * defaultWindow);
    expect(granted()).toBeLessThanOrEqual(2 * defaultWindow);
  });

  it('stops the connection of a client that keeps none, within bounds, and only for so long', async () => {
    const { id, stream } = await opened();
    const total = 8 * 1024 * 1024;
    let taken = 0;
    const sending = (async () => {
      for (; taken < total; taken += 64 * 1024) {
        client.send(id, Buffer.alloc(64 * 1024));
        if (client.transport.writableNeedDrain) {
          await new Promise<void>((resolve) => client.transport.once('drain', resolve));
        }
      }
    })();
    await delay(50);
    expect(taken).toBeLessThan(1024 * 1024);
    let size = 0;
    stream.on('data', (data: Buffer) => (size += data.length));
    await sending;
    await until(() => size === total);
  });

  it('does not hide that the client has gone', async () => {
    client.transport.destroy();
    await running;
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const other = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const [server] = (await once(listener, 'connection')) as [Socket];
    listener.close();
    client = new SpdyClient(other);
    streams = [];
    running = new SpdyConnection(server, (stream) => streams.push(stream), 20).run();
    const { id, stream } = await opened();
    for (let index = 0; index < 64; index++) client.send(id, Buffer.alloc(32 * 1024));
    await delay(50);
    expect(client.got(controlType.ping).length).toBeGreaterThan(0);
    other.destroy();
    await running;
    expect(stream.destroyed).toBe(true);
  });
});

describe('a slow reader there', () => {
  it('that keeps windows gets no more than it has granted', async () => {
    client.numbers(controlType.settings, 1, 7, 1000);
    const { id, stream } = await opened();
    stream.end(Buffer.alloc(5000, 'x'));
    await until(() => client.size(id) === 1000);
    await delay(10);
    expect(client.size(id)).toBe(1000);
    client.numbers(controlType.windowUpdate, id, 1500);
    await until(() => client.size(id) === 2500);
    // For the streams that are open, too.
    client.numbers(controlType.settings, 1, 7, 2000);
    await until(() => client.size(id) === 3500);
    client.numbers(controlType.windowUpdate, id, 100_000);
    expect((await client.whole(id)).length).toBe(5000);
  });

  it('that shows only late that it keeps windows is counted from the start', async () => {
    const { id, stream } = await opened();
    stream.write(Buffer.alloc(100_000));
    await until(() => client.size(id) === 100_000);
    client.numbers(controlType.windowUpdate, id, 40_000);
    await delay(10);
    stream.write(Buffer.alloc(20_000));
    const allowed = defaultWindow + 40_000;
    await until(() => client.size(id) === allowed);
    await delay(10);
    expect(client.size(id)).toBe(allowed);
  });

  it('that grants more than there can be has its stream reset', async () => {
    const { id, stream } = await opened();
    client.numbers(controlType.windowUpdate, id, maxWindow);
    await until(() => stream.destroyed);
    expect(client.got(controlType.rstStream)).toEqual([[id, 7]]);
  });

  it('that keeps none is written to no faster than its connection takes it', async () => {
    const { id, stream } = await opened();
    client.transport.pause();
    let produced = 0;
    const source = new PassThrough();
    source.pipe(stream);
    while (source.write(Buffer.alloc(64 * 1024)) && produced < 8 * 1024 * 1024) {
      produced += 64 * 1024;
      await delay(1);
    }
    expect(produced).toBeLessThan(1024 * 1024);
    client.transport.resume();
    source.end();
    await client.whole(id);
  });
});

it('refuses the stream that is one too many, and those after it that have room are fine', async () => {
  for (let index = 0; index < 1001; index++) await client.open({});
  await until(() => client.got(controlType.rstStream).length === 1);
  expect(client.got(controlType.rstStream)).toEqual([[2001, 3]]);
  streams[0]?.destroy();
  await opened();
});

it.each<[string, () => unknown]>([
  ['an even stream id', () => client.open({}, { id: 2 })],
  ['no SPDY', () => client.transport.write('GET / HTTP/1.1\r\n\r\n')],
  ['data of no stream', () => client.send(99, 'to nobody')],
  ['a SYN_STREAM without headers', () => client.numbers(controlType.synStream, 1, 0)],
  ['headers that are none', () => client.numbers(controlType.headers, 1, 123, 456)],
  ['a reply', () => client.numbers(controlType.synReply, 1, 1)],
  ['a short frame', () => client.numbers(controlType.ping)],
  ['settings that are too large', () => client.numbers(controlType.settings, 1, 7, 2 ** 31)],
])('ends the connection at %s', async (_what, send) => {
  const { stream } = await opened();
  await send();
  await until(() => stream.destroyed);
  expect(await running).toBeDefined();
});

it('ends by itself: what was written goes out first, and then good-bye', async () => {
  const { id, stream } = await opened();
  stream.write('last words');
  connection.close();
  await until(() => client.isClosed);
  expect(client.text(id)).toBe('last words');
  expect(client.got(controlType.goAway)).toEqual([[id, 0]]);
  client.send(id, 'too late');
  client.transport.end();
  expect(await running).toBeUndefined();
});
