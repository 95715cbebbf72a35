import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { FrameReader } from '../streaming/spdy/frame-reader.ts';
import * as wire from '../streaming/spdy/frames.ts';
import { HeaderDecoder, HeaderEncoder } from '../streaming/spdy/header-block.ts';

/** A client that does nothing by itself: what it sends and what came are the test's. */
export class SpdyClient {
  readonly transport: Duplex;
  /** Control frames as they came; those with a header block without it. */
  readonly control: { type: number; numbers: number[] }[] = [];
  readonly #reader = new FrameReader();
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #received = new Map<number, Buffer[]>();
  readonly #finished = new Set<number>();
  #nextId = 1;
  isClosed = false;

  constructor(transport: Duplex) {
    this.transport = transport;
    transport.on('error', () => undefined);
    transport.once('close', () => (this.isClosed = true)).once('end', () => (this.isClosed = true));
    transport.on('data', (bytes: Buffer) => {
      for (const frame of this.#reader.read(bytes)) this.#take(frame);
    });
  }

  async open(headers: Record<string, string>, { fin = false, id = this.#nextId } = {}): Promise<number> {
    this.#nextId = id + 2;
    const block = await this.#encoder.encode(new Map(Object.entries(headers)));
    const head = Buffer.alloc(10);
    head.writeUInt32BE(id);
    this.transport.write(
      wire.controlFrame(wire.controlType.synStream, fin ? wire.finFlag : 0, Buffer.concat([head, block])),
    );
    return id;
  }

  send(id: number, data: string | Buffer, fin = false): void {
    const bytes = Buffer.from(data);
    this.transport.write(Buffer.concat([wire.dataFrameHead(id, bytes.length, fin), bytes]));
  }

  numbers(type: number, ...numbers: number[]): void {
    this.transport.write(wire.numbersFrame(type, ...numbers));
  }

  text(id: number): string {
    return Buffer.concat(this.#received.get(id) ?? []).toString();
  }

  size(id: number): number {
    return (this.#received.get(id) ?? []).reduce((sum, { length }) => sum + length, 0);
  }

  isFinished(id: number): boolean {
    return this.#finished.has(id);
  }

  got(type: number): number[][] {
    return this.control.filter((frame) => frame.type === type).map(({ numbers }) => numbers);
  }

  /** What a stream says until its end. */
  async whole(id: number): Promise<string> {
    await until(() => this.isFinished(id));
    return this.text(id);
  }

  #take(frame: wire.ControlFrame | wire.DataPiece): void {
    if (frame.kind === 'control') {
      const { type, payload } = frame;
      const isReply = type === wire.controlType.synReply;
      const numbers = isReply ? payload.subarray(0, 4) : payload;
      const read = Array.from({ length: numbers.length / 4 }, (_, index) => numbers.readUInt32BE(4 * index));
      this.control.push({ type, numbers: read });
      // That they can be read shows that the server's compression is whole; the test closes before that is of interest.
      if (isReply) this.#decoder.decode(payload.subarray(4)).catch((error: Error) => this.transport.destroy(error));
      return;
    }
    this.#received.set(frame.streamId, [...(this.#received.get(frame.streamId) ?? []), frame.data]);
    if (frame.fin) this.#finished.add(frame.streamId);
  }
}

/** Looks until it holds. @throws Error after fifteen seconds, which only a busy machine comes near to */
export async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; !holds(); await delay(2)) {
    if (Date.now() > end) throw new Error(`never happened: ${holds.toString()}`);
  }
}
