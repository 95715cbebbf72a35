import { Readable } from 'node:stream';
import { isGone } from './errors.ts';
import { readWatchLines, type WatchEvent } from './watch-lines.ts';

const limits = { silenceMs: 10_000, maxLineBytes: 1000 };

async function read(chunks: string[], settings = limits): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const event of readWatchLines('WATCH /x', body, settings)) events.push(event);
  return events;
}

describe('readWatchLines', () => {
  it('puts lines together however they are cut', async () => {
    const text =
      '{"type":"ADDED","object":{"n":"ä"}}\n{"type":"DELETED","object":{"n":2}}\n\n{"type":"BOOKMARK","object":{}}\n';
    const expected = [
      { type: 'ADDED', object: { n: 'ä' } },
      { type: 'DELETED', object: { n: 2 } },
      { type: 'BOOKMARK', object: {} },
    ];
    const bytes = Buffer.from(text);
    for (const size of [1, 7, bytes.length]) {
      const body = Readable.from(
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
      );
      const events: WatchEvent[] = [];
      for await (const event of readWatchLines('WATCH /x', body, limits)) events.push(event);
      expect(events).toEqual(expected);
    }
  });

  it('throws what the server sends as an error', async () => {
    const line = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n';
    const error: unknown = await read([line]).catch((thrown: unknown) => thrown);
    expect(isGone(error)).toBe(true);
    expect(String(error)).toContain('too old');
  });

  it('refuses nonsense and lines without end', async () => {
    await expect(read(['hello\n'])).rejects.toMatchObject({ reason: 'Unparsable' });
    await expect(read(['x'.repeat(600), 'y'.repeat(600)])).rejects.toMatchObject({ reason: 'TooLarge' });
  });

  it('ends when nothing comes', async () => {
    const body = new Readable({ read: () => undefined });
    body.push('{"type":"ADDED","object":{}}\n');
    const events: WatchEvent[] = [];
    for await (const event of readWatchLines('WATCH /x', body, { ...limits, silenceMs: 30 })) events.push(event);
    expect(events).toHaveLength(1);
    expect(body.destroyed).toBe(true);
  });
});
