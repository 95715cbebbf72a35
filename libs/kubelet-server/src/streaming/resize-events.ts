import type { Readable } from 'node:stream';
import type { TerminalSize } from '@interlink/contract';
import { z } from 'zod';

/** Go writes them with a capital, and reads either. */
const sizeSchema = z
  .record(z.string(), z.unknown())
  .transform((fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value])))
  .pipe(z.object({ width: z.int().min(0).max(65535), height: z.int().min(0).max(65535) }));

const maxEventBytes = 1024;

/** The sizes that a resize stream tells of, until it ends or says what is none. Never throws. */
export async function* resizeEvents(stream: Readable): AsyncGenerator<TerminalSize, void> {
  let text = '';
  try {
    for await (const chunk of stream) {
      text += String(chunk);
      for (let end = text.indexOf('}'); end !== -1; end = text.indexOf('}')) {
        const size = sizeSchema.safeParse(parseJson(text.slice(0, end + 1)));
        if (!size.success) return;
        text = text.slice(end + 1);
        yield size.data;
      }
      if (text.length > maxEventBytes) return;
    }
  } catch {
    // The client has gone, which others notice as well.
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
