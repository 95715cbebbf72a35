import type { Readable } from 'node:stream';
import { z } from 'zod';
import { errorOfStatus, errorOfTransport, parseJson } from './answer-errors.ts';
import { KubeError } from './errors.ts';

/** One line of a watch. Errors the server sends as a line are thrown instead. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** As it came; of a bookmark only `metadata.resourceVersion` means something. */
  object: unknown;
}

export interface WatchLimits {
  /** Milliseconds without a byte after which the watch ends. */
  silenceMs: number;
  /** Bytes of one line; an object in etcd has at most 1.5 MiB, as JSON at most a few times that. */
  maxLineBytes: number;
}

const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']), object: z.unknown() }),
  z.object({ type: z.literal('ERROR'), object: z.unknown() }),
]);

const newline = 0x0a;

/**
 * The events of a watch's body, until it ends or is silent for too long: a connection that died without a word looks
 * just like a quiet resource, and watching on from the last version costs nothing.
 * @throws KubeError
 */
export async function* readWatchLines(
  what: string,
  body: Readable,
  limits: WatchLimits,
): AsyncGenerator<WatchEvent, void> {
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    body.destroy();
  }, limits.silenceMs);
  try {
    for await (const line of lines(what, body, limits.maxLineBytes, () => timer.refresh())) {
      yield parseLine(what, line);
    }
  } catch (error) {
    if (!silent) throw errorOfTransport(what, error);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

async function* lines(
  what: string,
  body: Readable,
  maxBytes: number,
  onBytes: () => void,
): AsyncGenerator<string, void> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    onBytes();
    const bytes = Buffer.from(chunk as Uint8Array);
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      const tail = bytes.subarray(from, end);
      const line = begun.length > 0 ? Buffer.concat([...begun, tail]) : tail;
      begun = [];
      size = 0;
      from = end + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (from < bytes.length) {
      begun.push(bytes.subarray(from));
      size += bytes.length - from;
    }
    if (size > maxBytes) {
      throw new KubeError(`${what}: a line of more than ${maxBytes} bytes`, { status: 200, reason: 'TooLarge' });
    }
  }
}

function parseLine(what: string, line: string): WatchEvent {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) throw new KubeError(`${what}: not a watch event`, { status: 200, reason: 'Unparsable' });
  const { type, object } = parsed.data;
  if (type === 'ERROR') throw errorOfStatus(what, object);
  return { type, object };
}
