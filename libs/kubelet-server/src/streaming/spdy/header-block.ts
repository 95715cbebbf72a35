import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { headerDictionary as dictionary } from './dictionary.ts';
import { SpdyError } from './frames.ts';

const maxBlockBytes = 64 * 1024;
const maxHeaders = 100;

/** Names in lower case; of a name with several values the first. */
export type Headers = ReadonlyMap<string, string>;

/** One for a connection and direction: each block is compressed with what all before it have taught. */
export class HeaderEncoder {
  readonly #deflate: Deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  constructor() {
    this.#deflate.on('error', ignored);
  }

  /** One at a time: the next only after the promise of the one before. */
  async encode(headers: Headers): Promise<Buffer> {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(headers.size);
    const texts = [...headers].flat().map((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    });
    return through(this.#deflate, Buffer.concat([count, ...texts]), Infinity);
  }

  close(): void {
    this.#deflate.destroy();
  }
}

/** The other direction; one at a time, in the order of the frames, also for streams that nobody wants any more. */
export class HeaderDecoder {
  readonly #inflate: Inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  constructor() {
    this.#inflate.on('error', ignored);
  }

  /** @throws SpdyError for what is no header block, or is too big when unpacked */
  async decode(block: Buffer): Promise<Headers> {
    return parse(await through(this.#inflate, block, maxBlockBytes));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** `through` tells of it; the event may come after that has stopped listening. */
const ignored = () => undefined;

/** What comes out for this input; the flush sees to it that all of it comes. */
async function through(zlib: Deflate | Inflate, input: Buffer, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => {
      zlib.off('data', take).off('error', done).off('close', closed);
      const cause = size > maxBytes ? new Error(`more than ${maxBytes} bytes`) : error;
      if (cause) reject(new SpdyError('a header block that cannot be unpacked', { cause }));
      else resolve(Buffer.concat(pieces));
    };
    const closed = () => done(new Error('closed'));
    const take = (piece: Buffer) => {
      size += piece.length;
      // A few bytes can be packed to mean megabytes: stop while they are still few.
      if (size > maxBytes) zlib.destroy();
      else pieces.push(piece);
    };
    if (zlib.destroyed) {
      closed();
      return;
    }
    zlib.on('data', take).on('error', done).on('close', closed);
    zlib.write(input, (error) => done(error));
  });
}

function parse(block: Buffer): Headers {
  let at = 0;
  const number = () => {
    if (at + 4 > block.length) throw new SpdyError('a header block that is cut short');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = () => {
    const end = number() + at;
    if (end > block.length) throw new SpdyError('a header block that is cut short');
    const found = block.toString('utf8', at, end);
    at = end;
    return found;
  };
  const count = number();
  if (count > maxHeaders) throw new SpdyError(`${count} headers; at most ${maxHeaders}`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const name = text().toLowerCase();
    const [first = ''] = text().split('\0', 1);
    headers.set(name, first);
  }
  return headers;
}
