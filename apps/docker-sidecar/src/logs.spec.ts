import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { logRequestSchema } from '@interlink/contract';
import fc from 'fast-check';
import { logQuery, plainLog } from './logs.ts';

const frame = (content: Uint8Array, stream = 1) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
};
const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });

/** The frames of these contents, cut at arbitrary places. */
const wire = fc.tuple(contents, fc.array(fc.nat(400), { maxLength: 12 })).map(([parts, cuts]) => {
  const framed = Buffer.concat(parts.map((part, index) => frame(part, 1 + (index % 2))));
  const at = [0, ...cuts.filter((cut) => cut < framed.length).sort((one, other) => one - other), framed.length];
  const chunks = at.slice(1).map((end, index) => framed.subarray(at[index], end));
  return { plain: Buffer.concat(parts), chunks: chunks.filter(({ length }) => length > 0) };
});

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(
    stream,
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
  );
  return Buffer.concat(chunks);
}

describe('plainLog', () => {
  it('of a terminal is passed on as it is, and cut like any other', async () => {
    const bytes = () => Readable.from([Buffer.from('\x01\0\0\0ab'), Buffer.from('cd\r\n')], { objectMode: false });
    expect(String(await read(plainLog(bytes(), 0, true)))).toBe('\x01\0\0\0abcd\r\n');
    expect(String(await read(plainLog(bytes(), 7, true)))).toBe('\x01\0\0\0abc');
  });

  it('takes off the frames wherever the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(wire, async ({ plain, chunks }) => {
        expect(await read(plainLog(Readable.from(chunks, { objectMode: false }), 0))).toEqual(plain);
      }),
    );
  });

  it('stops after the wanted number of bytes', async () => {
    await fc.assert(
      fc.asyncProperty(wire, fc.integer({ min: 1, max: 200 }), async ({ plain, chunks }, limit) => {
        const cut = await read(plainLog(Readable.from(chunks, { objectMode: false }), limit));
        expect(cut).toEqual(plain.subarray(0, limit));
      }),
    );
  });

  it("stops the engine's stream when it has enough, though the container still writes", async () => {
    const framed = new PassThrough();
    framed.write(frame(Buffer.from('0123456789')));
    expect(String(await read(plainLog(framed, 4)))).toBe('0123');
    expect(framed.destroyed).toBe(true);
  });

  it('passes a frame on before it is whole', async () => {
    const framed = new PassThrough();
    const log = plainLog(framed, 0);
    framed.write(frame(Buffer.from('0123456789')).subarray(0, 12));
    expect(String((await once(log, 'data'))[0])).toBe('0123');
  });

  it('is quick with many short lines, gives them whole, and keeps no more than its reader takes', async () => {
    const line = frame(Buffer.from(`${'x'.repeat(79)}\n`));
    const lines = Buffer.concat(Array<Buffer>(1000).fill(line));
    // 8 MiB of plain text, a line a chunk, as an engine's answer comes in.
    const rounds = Math.ceil((8 * 1024 * 1024) / 80_000);
    let round = 0;
    const framed = new Readable({
      read() {
        if (round++ === rounds) this.push(null);
        else for (let at = 0; at < lines.length; at += line.length) this.push(lines.subarray(at, at + line.length));
      },
    });
    const log = plainLog(framed, 0);
    await once(log, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(round).toBeLessThan(10);
    let [bytes, chunks] = [0, 0];
    for await (const chunk of log) {
      bytes += (chunk as Buffer).length;
      chunks++;
    }
    expect(bytes).toBe(rounds * 80_000);
    expect(bytes / chunks).toBeGreaterThan(32 * 1024);
  });

  it('breaks off with the engine', async () => {
    const framed = new PassThrough();
    const reading = read(plainLog(framed, 0));
    framed.write(frame(Buffer.from('0123')));
    framed.destroy(new Error('engine gone'));
    await expect(reading).rejects.toThrow('engine gone');
  });

  it("lets go of the engine's stream when nobody reads on", async () => {
    const framed = new PassThrough();
    const log = plainLog(framed, 0);
    log.destroy();
    await once(framed, 'close');
  });
});

describe('logQuery', () => {
  const now = Date.parse('2026-01-01T00:00:10Z');
  const query = (opts: object) =>
    logQuery(
      logRequestSchema.parse({ Namespace: '', PodUID: '', PodName: '', ContainerName: '', Opts: opts }).Opts,
      now,
    );
  const base = { stdout: 'true', stderr: 'true', follow: 'false', timestamps: 'false' };

  it.each([
    [{}, {}],
    [
      { Follow: true, Timestamps: true },
      { follow: 'true', timestamps: 'true' },
    ],
    [{ Tail: 5 }, { tail: '5' }],
    [{ TailLines: 0 }, { tail: '0' }],
    [{ SinceSeconds: 4 }, { since: '1767225606.000' }],
    [{ SinceTime: '2026-01-01T00:00:01.25Z' }, { since: '1767225601.250' }],
    [{ SinceTime: '0001-01-01T00:00:00Z' }, {}],
  ])('%j', (opts, expected) => expect(query(opts)).toEqual({ ...base, ...expected }));
});
