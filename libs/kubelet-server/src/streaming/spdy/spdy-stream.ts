import { Duplex } from 'node:stream';
import { defaultWindow } from './frames.ts';
import type { Headers } from './header-block.ts';
import { SendWindow, type PeerWindows } from './send-window.ts';

/** What a stream needs of its connection. */
export interface StreamPort {
  /** Resolves when more may be written. Rejects when nothing can be any more. */
  sendData(streamId: number, data: Buffer, fin: boolean): Promise<void>;
  /** Resolves when something may have changed for a stream that has no window left. */
  windowChanged(): Promise<void>;
  grant(streamId: number, bytes: number): void;
  /** `reset`: the peer does not know yet that the stream is over. */
  forget(stream: SpdyStream, reset: boolean): void;
  readonly peer: PeerWindows;
}

const highWaterMark = 64 * 1024;
/** Larger frames only make others wait for longer. */
const maxFrameBytes = 32 * 1024;
/** Above this the connection reads no further: a peer that keeps no windows is held back by TCP. */
const maxQueuedBytes = 256 * 1024;

/** One stream of a SPDY connection. Either direction ends on its own. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #port: StreamPort;
  readonly #window: SendWindow;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #wanted = false;
  #received = false;
  #sent = false;
  #consumed = 0;
  #onRoom: (() => void) | undefined;

  constructor(id: number, headers: Headers, port: StreamPort) {
    super({ allowHalfOpen: true, highWaterMark });
    this.id = id;
    this.headers = headers;
    this.#port = port;
    this.#window = new SendWindow(port.peer);
    // Whoever uses the stream sees the error by `pipeline`; one that nobody uses yet must not end the process.
    this.on('error', () => undefined);
  }

  get window(): SendWindow {
    return this.#window;
  }

  /** For the connection: the peer's bytes, or its last ones. Resolves when the connection may read on. */
  async receive(data: Buffer, fin: boolean): Promise<void> {
    if (this.destroyed || this.#received) return;
    // A copy: the piece is a view of a whole chunk of the connection, which it would keep.
    if (data.length > 0) {
      this.#queue.push(Buffer.from(data));
      this.#queuedBytes += data.length;
    }
    this.#received = fin;
    this.#feed();
    if (this.#queuedBytes <= maxQueuedBytes) return;
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** For the connection: the peer wants no more of this stream. */
  resetByPeer(error: Error): void {
    this.#received = true;
    this.#sent = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#wanted = true;
    this.#feed();
  }

  #feed(): void {
    while (this.#wanted) {
      const piece = this.#queue.shift();
      if (piece === undefined) break;
      this.#queuedBytes -= piece.length;
      this.#consumed += piece.length;
      this.#wanted = this.push(piece);
    }
    if (this.#queuedBytes <= maxQueuedBytes) this.#room();
    if (this.#received) {
      if (this.#wanted && this.#queue.length === 0) this.push(null);
    } else if (this.#consumed >= defaultWindow / 2) {
      this.#port.grant(this.id, this.#consumed);
      this.#consumed = 0;
    }
  }

  #room(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => done(), done);
  }

  async #send(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const size = this.#window.allowance(Math.min(rest.length, maxFrameBytes));
      if (this.destroyed) return;
      if (size === 0) {
        await this.#port.windowChanged();
        continue;
      }
      this.#window.sent(size);
      await this.#port.sendData(this.id, rest.subarray(0, size), false);
      rest = rest.subarray(size);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sent = true;
    this.#port.sendData(this.id, Buffer.alloc(0), true).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#room();
    this.#port.forget(this, !(this.#sent && this.#received));
    done(error);
  }
}
