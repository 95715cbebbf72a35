import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { errorBodySchema, InterlinkError } from '../errors.ts';
import { parseJson } from '../first-bytes.ts';
import { forwardChannel, parseFrame, sendFrame, type Frame } from './frames.ts';
import { breakOff, closeWhenSaid } from './hang-up.ts';

/** One TCP connection over a WebSocket, the same on both sides: each direction ends by itself. */
export class ForwardSocket extends Duplex {
  readonly #socket: WebSocket;
  readonly #peer: string;
  #ended = false;

  constructor(socket: WebSocket, peer: string) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#peer = peer;
    // An error must not come before whoever asked for this has had a chance to listen.
    socket.pause();
    setImmediate(() => socket.resume());
    socket.on('message', (data) => this.#take(parseFrame(data)));
    // Always followed by the close.
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => this.#closed(code, reason.toString('utf8')));
  }

  /** Tells the peer why there is nothing more to come, and ends. */
  fail(error: InterlinkError): void {
    if (this.destroyed) return;
    const body = Buffer.from(JSON.stringify(error.toBody()));
    sendFrame(this.#socket, forwardChannel.error, body, () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // What cannot be sent is dropped: that the connection is lost, and why, comes with the close.
    sendFrame(this.#socket, forwardChannel.data, chunk, () => done());
  }

  override _final(done: () => void): void {
    sendFrame(this.#socket, forwardChannel.close, new Uint8Array(), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error === null && this.writableFinished) closeWhenSaid(this.#socket);
    else breakOff(this.#socket, 1000, '');
    done(error);
  }

  #take({ channel, content }: Frame): void {
    if (this.destroyed || this.#ended) return;
    if (channel === forwardChannel.data) {
      if (!this.push(content)) this.#socket.pause();
    } else if (channel === forwardChannel.close) {
      this.#ended = true;
      this.push(null);
    } else if (channel === forwardChannel.error) {
      const body = errorBodySchema.safeParse(parseJson(content.toString('utf8')));
      this.destroy(
        body.success
          ? new InterlinkError(body.data.code, body.data.message)
          : new InterlinkError('Unavailable', `${this.#peer} ended the connection with an error that cannot be read`),
      );
    }
  }

  #closed(code: number, reason: string): void {
    if (this.destroyed) return;
    if (!this.#ended || code !== 1000) {
      const why = reason || 'it broke off';
      this.destroy(new InterlinkError('Unavailable', `the connection through ${this.#peer} was lost: ${why}`));
    } else if (this.readableEnded) {
      this.destroy();
    } else {
      // The other end has closed both directions; what it sent first is still to be read.
      this.once('end', () => this.destroy());
    }
  }
}
