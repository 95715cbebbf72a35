import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { logsSince, logsTail, type LogRequest } from '@interlink/contract';

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

/** stdout and stderr as one stream of bytes, as the kubelet gives them, cut after `limitBytes` (0 = never). */
export function plainLog(framed: Readable, limitBytes: number): Readable {
  const plain = new Unframe(limitBytes > 0 ? limitBytes : Infinity, () => framed.destroy());
  framed.once('error', (error) => {
    if (plain.full) plain.push(null);
    else plain.destroy(error);
  });
  // Who stops reading stops the engine's stream too.
  plain.once('close', () => framed.destroy());
  return framed.pipe(plain);
}

const headerBytes = 8;

/** Takes off the engine's frames (stream, 3 zeros, length as uint32) without holding more than one chunk. */
class Unframe extends Transform {
  #header = Buffer.alloc(0);
  #left = 0;
  #budget: number;
  readonly #stop: () => void;
  full = false;

  constructor(budget: number, stop: () => void) {
    super();
    this.#budget = budget;
    this.#stop = stop;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    let rest = chunk;
    while (rest.length > 0 && !this.full) {
      if (this.#left === 0) {
        const missing = headerBytes - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < headerBytes) break;
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        continue;
      }
      const take = rest.subarray(0, Math.min(this.#left, this.#budget));
      this.#left -= take.length;
      this.#budget -= take.length;
      rest = rest.subarray(take.length);
      this.push(take);
      if (this.#budget === 0) {
        this.full = true;
        this.push(null);
        this.#stop();
      }
    }
    done();
  }
}
