import { Readable } from 'node:stream';
import { logsSince, logsTail, type LogRequest } from '@interlink/contract';
import { EngineFrames } from './streams/engine-frames.ts';

/** The engine's query for what is wanted of a log. */
export function logQuery(options: LogRequest['Opts'], now: number): Record<string, string> {
  const since = logsSince(options, now);
  const tail = logsTail(options);
  return {
    stdout: 'true',
    stderr: 'true',
    follow: String(options.Follow),
    timestamps: String(options.Timestamps),
    ...(tail === undefined ? {} : { tail: String(tail) }),
    ...(since === undefined ? {} : { since: (since / 1000).toFixed(3) }),
  };
}

/**
 * stdout and stderr as one stream of bytes, as the kubelet gives them, cut after `limitBytes` (0 = never). The engine
 * frames them, line by line, except for a container with a terminal.
 */
export function plainLog(framed: Readable, limitBytes: number, terminal = false): Readable {
  const plain = Readable.from(unframed(framed, limitBytes > 0 ? limitBytes : Infinity, terminal), {
    objectMode: false,
    highWaterMark: 64 * 1024,
  });
  // Who stops reading stops the engine's stream too; an error that comes then is nobody's.
  framed.on('error', () => undefined);
  plain.once('close', () => framed.destroy());
  return plain;
}

/** Reads all that has come in by now at once, so that a log of short lines costs no more than one of long ones. */
async function* unframed(framed: Readable, limitBytes: number, terminal: boolean): AsyncGenerator<Buffer> {
  let budget = limitBytes;
  let plain: Buffer = Buffer.alloc(0);
  let size = 0;
  const frames = new EngineFrames((_stream, content) => {
    // Never longer than what it was framed in.
    size += content.copy(plain, size);
  });
  for await (const read of framed) {
    const chunk: Buffer = Buffer.isBuffer(read) ? read : Buffer.from(read as Uint8Array);
    if (terminal) [plain, size] = [chunk, chunk.length];
    else {
      [plain, size] = [Buffer.allocUnsafe(chunk.length), 0];
      frames.take(chunk);
    }
    const wanted = plain.subarray(0, Math.min(size, budget));
    budget -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (budget === 0) return;
  }
}
