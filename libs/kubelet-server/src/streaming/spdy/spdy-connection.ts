import type { Duplex } from 'node:stream';
import { FrameReader } from './frame-reader.ts';
import * as wire from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';
import { Notice } from './notice.ts';
import { SpdyStream, type StreamPort } from './spdy-stream.ts';

const { bits31, controlType, goAwayStatus, numberAt, numbersFrame, rstStatus, SpdyError } = wire;

const ourPing = 2;
const maxStreams = 1000;
/** Between two pings. While a stream is full nobody reads, and only a write that fails tells that the client has gone. */
const defaultHeartbeatMs = 15_000;
/** How long the peer may take to close after we have: what it still sends would else reset our last words away. */
const lingerMs = 5_000;

/** The server's side of a SPDY/3.1 connection: the peer opens streams, we only accept. */
export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #windows = new Notice();
  readonly #room = new Notice();
  readonly #peer = { areKept: false, initial: wire.defaultWindow };
  readonly #heartbeat: NodeJS.Timeout;
  #lastId = 0;
  #closing = false;

  /** `onStream` gets each stream that the peer opens, already accepted; it refuses one by destroying it. */
  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void, heartbeatMs = defaultHeartbeatMs) {
    this.#transport = transport;
    this.#onStream = onStream;
    this.#heartbeat = setInterval(() => {
      if (!transport.writableNeedDrain) void this.#write(numbersFrame(controlType.ping, ourPing));
    }, heartbeatMs);
    transport.on('drain', () => this.#room.notify());
    // Not left to `run`, which may wait for a stream that is full.
    transport.once('close', () => this.#end(new SpdyError('the connection was closed')));
  }

  /** Until the connection is over. Never rejects: resolves to the error that ended it, if there was one. */
  async run(): Promise<Error | undefined> {
    let failure: Error | undefined;
    try {
      for await (const bytes of this.#transport as AsyncIterable<Buffer>) {
        for (const frame of this.#reader.read(bytes)) await this.#take(frame);
      }
    } catch (thrown) {
      failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (thrown instanceof SpdyError && this.#transport.writable) {
        this.#transport.end(numbersFrame(controlType.goAway, this.#lastId, goAwayStatus.protocolError));
      }
    } finally {
      this.#end(failure ?? new SpdyError('the client closed the connection'));
      this.#transport.destroy();
    }
    return failure;
  }

  #end(error: Error): void {
    this.#closing = true;
    clearInterval(this.#heartbeat);
    for (const stream of this.#streams.values()) stream.resetByPeer(error);
    this.#windows.notify();
    this.#room.notify();
    this.#decoder.close();
    this.#encoder.close();
  }

  /** Lets out what was written, says good-bye, and ends; `run` resolves when the peer has gone too. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#transport.writable) {
      this.#transport.end(numbersFrame(controlType.goAway, this.#lastId, goAwayStatus.ok));
    }
    for (const stream of this.#streams.values()) stream.destroy();
    const linger = setTimeout(() => this.#transport.destroy(), lingerMs);
    this.#transport.once('close', () => clearTimeout(linger));
  }

  async #take(frame: wire.ControlFrame | wire.DataPiece): Promise<void> {
    if (frame.kind === 'data') {
      if (frame.streamId > this.#lastId || frame.streamId === 0)
        throw new SpdyError('data of a stream that was never opened');
      // Of one that is over: on its way before the peer knew.
      await this.#streams.get(frame.streamId)?.receive(frame.data, frame.fin);
      return;
    }
    switch (frame.type) {
      case controlType.synStream:
        return this.#open(frame);
      case controlType.synReply:
        throw new SpdyError('a reply to a stream that was never opened');
      case controlType.headers:
        // Of no use to anybody, but the compression goes on from it.
        numberAt(frame, 0);
        await this.#decoder.decode(frame.payload.subarray(4));
        return;
      case controlType.rstStream: {
        const id = bits31(numberAt(frame, 0));
        const status = numberAt(frame, 1);
        this.#streams.get(id)?.resetByPeer(new SpdyError(`the stream was reset by the client (status ${status})`));
        return;
      }
      case controlType.settings:
        return this.#settings(frame);
      case controlType.ping:
        // An even id is that of ours, coming back.
        if (numberAt(frame, 0) % 2 === 1) await this.#write(numbersFrame(controlType.ping, numberAt(frame, 0)));
        return;
      case controlType.windowUpdate:
        return this.#windowUpdate(frame);
      default:
        // GOAWAY: no new streams, and there would be none anyway. Anything else: to be ignored, says SPDY.
        return;
    }
  }

  async #open(frame: wire.ControlFrame): Promise<void> {
    const id = bits31(numberAt(frame, 0));
    numberAt(frame, 1);
    if (frame.payload.length < 10) throw new SpdyError('a SYN_STREAM that is cut short');
    const headers = await this.#decoder.decode(frame.payload.subarray(10));
    if (id % 2 === 0 || id <= this.#lastId) throw new SpdyError(`stream id ${id} after ${this.#lastId}`);
    this.#lastId = id;
    if (this.#closing) return;
    if (this.#streams.size >= maxStreams) {
      await this.#write(numbersFrame(controlType.rstStream, id, rstStatus.refusedStream));
      return;
    }
    const stream = new SpdyStream(id, headers, this.#port);
    this.#streams.set(id, stream);
    const reply = Buffer.concat([uint32(id), await this.#encoder.encode(new Map())]);
    await this.#write(wire.controlFrame(controlType.synReply, 0, reply));
    this.#onStream(stream);
    if ((frame.flags & wire.finFlag) !== 0) await stream.receive(Buffer.alloc(0), true);
  }

  #settings(frame: wire.ControlFrame): void {
    const initial = wire.initialWindowOf(frame);
    if (initial === undefined) return;
    if (initial > wire.maxWindow) throw new SpdyError(`an initial window of ${initial} bytes`);
    for (const { window } of this.#streams.values()) window.shift(initial - this.#peer.initial);
    this.#peer.initial = initial;
    this.#peer.areKept = true;
    this.#windows.notify();
  }

  #windowUpdate(frame: wire.ControlFrame): void {
    const stream = this.#streams.get(bits31(numberAt(frame, 0)));
    if (stream?.window.grant(bits31(numberAt(frame, 1))) === false) {
      void this.#write(numbersFrame(controlType.rstStream, stream.id, rstStatus.flowControlError));
      stream.resetByPeer(new SpdyError('the client granted too large a window'));
    }
    this.#windows.notify();
  }

  readonly #port: StreamPort = {
    peer: this.#peer,
    windowChanged: () => this.#windows.wait(),
    sendData: (id, data, fin) => this.#write(wire.dataFrameHead(id, data.length, fin), data),
    grant: (id, bytes) => void this.#write(numbersFrame(controlType.windowUpdate, id, bytes)),
    forget: (stream, reset) => {
      if (!this.#streams.delete(stream.id)) return;
      if (reset) void this.#write(numbersFrame(controlType.rstStream, stream.id, rstStatus.cancel));
      this.#windows.notify();
    },
  };

  /** Resolves when the transport takes more, or will never again: then the streams are told. Never rejects. */
  async #write(...pieces: Buffer[]): Promise<void> {
    const transport = this.#transport;
    if (!transport.writable) return;
    transport.cork();
    let takesMore = true;
    for (const piece of pieces) if (piece.length > 0) takesMore = transport.write(piece);
    transport.uncork();
    while (!takesMore && transport.writable && transport.writableNeedDrain) await this.#room.wait();
  }
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
