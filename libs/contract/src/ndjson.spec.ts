import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { SiteEvent } from './extensions.ts';
import { readEvents } from './ndjson.ts';

const status = (UID: string): SiteEvent => ({
  type: 'status',
  site: 's',
  cursor: 'e.1',
  status: { name: 'p', namespace: 'n', UID, JID: '', message: 'größe 🚀' },
});
const events: SiteEvent[] = [
  status('a'),
  { type: 'synced', site: 's', cursor: 'e.2', snapshot: true },
  { type: 'siteDown', site: 's', message: 'gone' },
  { type: 'bookmark', cursor: 'e.3' },
];
const wire = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join('\n'));
const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'Unavailable', message: expect.stringMatching(message) as string }) as Error;

async function read(stream: Readable, silenceMs?: number): Promise<SiteEvent[]> {
  const seen: SiteEvent[] = [];
  for await (const event of readEvents(stream, 'peer', silenceMs)) seen.push(event);
  return seen;
}

describe('readEvents', () => {
  it('does not care where the chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(wire.length)), async (cuts) => {
        const at = [0, ...cuts.sort((one, other) => one - other), wire.length];
        const chunks = at.slice(1).map((end, index) => wire.subarray(at[index], end));
        expect(await read(Readable.from(chunks.filter(({ length }) => length > 0)))).toEqual(events);
      }),
      { numRuns: 50 },
    );
  });

  it('ends with what the peer breaks off', async () => {
    const stream = new PassThrough();
    stream.write(wire);
    setImmediate(() => stream.destroy(new Error('ECONNRESET')));
    await expect(read(stream)).rejects.toThrow(unavailable(/peer broke off: .*ECONNRESET/));
  });

  it('takes silence for an end, and lets go of the connection', async () => {
    const stream = new PassThrough();
    stream.write(wire);
    await expect(read(stream, 40)).rejects.toThrow(unavailable(/silent for 0\.04 s/));
    expect(stream.destroyed).toBe(true);
  });

  it('does not take a slow reader for a silent peer', async () => {
    const stream = new PassThrough();
    stream.write(wire);
    const reading = readEvents(stream, 'peer', 40);
    expect((await reading.next()).value).toEqual(events[0]);
    await sleep(120);
    stream.end(`${JSON.stringify(status('b'))}\n`);
    const rest: unknown[] = [];
    for await (const event of reading) rest.push(event);
    expect(rest).toEqual([...events.slice(1), status('b')]);
  });

  it('gives up on a line that has no end', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    const endless = new Readable({
      read() {
        sent += chunk.length;
        this.push(chunk);
      },
    });
    await expect(read(endless)).rejects.toThrow(unavailable(/line over \d+ bytes/));
    expect(endless.destroyed).toBe(true);
    expect(sent).toBeLessThan(8 * 1024 * 1024);
  });

  it.each(['not json', '{"type":"status"}', '{"type":"new","cursor":"e.1"}', 'null'])(
    'does not guess at the line %s',
    async (line) => {
      await expect(read(Readable.from([`${line}\n`]))).rejects.toThrow(unavailable(/not as the contract says/));
    },
  );

  it('lets go of the connection when its reader has had enough', async () => {
    const stream = new PassThrough();
    stream.write(wire);
    for await (const _ of readEvents(stream, 'peer')) break;
    expect(stream.destroyed).toBe(true);
  });
});
