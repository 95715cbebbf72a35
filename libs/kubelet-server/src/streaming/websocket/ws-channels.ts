import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

export interface ChannelsOptions {
  readonly count: number;
  /** What the client sends on any other is dropped. */
  readonly readable: ReadonlySet<number>;
  /** Text messages: the channel as a digit, then base64. Otherwise binary ones: the channel as a byte, then bytes. */
  readonly base64: boolean;
  /** The message 255, CHANNEL ends a channel. */
  readonly halfClose: boolean;
}

/** Between two pings. While a channel is full nobody reads, and only a write that fails tells that the client has gone. */
const heartbeatMs = 15_000;
const closeSignal = 255;
const zeroDigit = 0x30;
const highWaterMark = 64 * 1024;
const normalClosure = 1000;
const protocolErrorClosure = 1002;

/** The numbered channels of Kubernetes' subprotocols over one WebSocket. Its reading stops while any of them is full. */
export class WsChannels {
  readonly #ws: WebSocket;
  readonly #o: ChannelsOptions;
  readonly #channels: readonly Channel[];
  readonly #gone = new AbortController();

  constructor(ws: WebSocket, options: ChannelsOptions) {
    this.#ws = ws;
    this.#o = options;
    this.#channels = Array.from(
      { length: options.count },
      (_, number) => new Channel(number, this.#send, this.#resume),
    );
    ws.on('message', (data, isBinary) => this.#take(bytesOf(data), isBinary));
    // 'close' follows.
    ws.on('error', () => undefined);
    const heartbeat = setInterval(() => ws.ping(), heartbeatMs);
    ws.once('close', () => {
      clearInterval(heartbeat);
      this.#gone.abort();
      for (const channel of this.#channels) channel.destroy();
    });
  }

  /** Aborts when the connection is over. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  channel(number: number): Duplex {
    const found = this.#channels[number];
    if (found === undefined) throw new RangeError(`channel ${number} of ${this.#channels.length}`);
    return found;
  }

  /** As if the client had ended this channel. */
  endInput(number: number): void {
    this.#channels[number]?.receive(null);
  }

  /** Ends the connection once what was written has gone out. Resolves when the client has gone too, or had its time. */
  async close(code = normalClosure): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.gone.aborted) return;
    this.gone.addEventListener('abort', () => resolve(), { once: true });
    for (const channel of this.#channels) channel.discard();
    this.#ws.close(code);
    // The client's own good-bye is behind what it has still sent.
    this.#ws.resume();
    await promise;
  }

  #take(message: Buffer, isBinary: boolean): void {
    const [first] = message;
    if (first === undefined) return;
    if (this.#o.halfClose && first === closeSignal) {
      const ended = message.length === 2 ? this.#channels[message[1] ?? closeSignal] : undefined;
      if (ended === undefined) this.#ws.close(protocolErrorClosure, 'a close signal is followed by one channel');
      else ended.receive(null);
      return;
    }
    const number = this.#o.base64 ? first - zeroDigit : first;
    const channel = this.#channels[number];
    if (channel === undefined || !this.#o.readable.has(number)) return;
    const body = message.subarray(1);
    const isText = this.#o.base64 && !isBinary;
    if (!channel.receive(isText ? Buffer.from(body.toString('latin1'), 'base64') : body)) this.#ws.pause();
  }

  readonly #resume = (): void => {
    if (this.#ws.isPaused && this.#channels.every((channel) => channel.hasRoom)) this.#ws.resume();
  };

  readonly #send: Transmit = (number, data, done) => {
    const { base64 } = this.#o;
    const message = base64 ? `${number}${data.toString('base64')}` : Buffer.concat([Buffer.from([number]), data]);
    this.#ws.send(message, { binary: !base64 }, done);
  };
}

type Transmit = (number: number, data: Buffer, done: (error?: Error | null) => void) => void;

class Channel extends Duplex {
  readonly #number: number;
  readonly #transmit: Transmit;
  readonly #onRoom: () => void;
  #ended = false;
  hasRoom = true;

  constructor(number: number, transmit: Transmit, onRoom: () => void) {
    super({ allowHalfOpen: true, highWaterMark });
    this.#number = number;
    this.#transmit = transmit;
    this.#onRoom = onRoom;
    this.on('error', () => undefined);
  }

  /** Null ends it. False: it is full. */
  receive(data: Buffer | null): boolean {
    if (this.#ended || this.destroyed) return true;
    this.#ended = data === null;
    // An empty piece would count as the end of one in object terms; it says nothing anyway.
    if (data?.length === 0) return true;
    const hasRoom = this.push(data);
    this.hasRoom = hasRoom || this.#ended;
    return this.hasRoom;
  }

  /** Nothing that comes from now on is of interest. */
  discard(): void {
    this.#ended = true;
    this.hasRoom = true;
  }

  override _read(): void {
    if (this.hasRoom) return;
    this.hasRoom = true;
    this.#onRoom();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#transmit(this.#number, chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.discard();
    this.#onRoom();
    done(error);
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
