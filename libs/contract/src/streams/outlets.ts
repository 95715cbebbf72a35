import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** What can be held up: a socket, or a WebSocket. */
export interface Source {
  pause(): unknown;
  resume(): unknown;
}

/** Several outputs that come over one source. The source waits while any of them is not read. */
export class Outlets {
  readonly #source: Source;
  readonly #open = new Set<Readable>();
  readonly #full = new Set<Readable>();
  readonly #over: Promise<void>[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  open(): Readable {
    const outlet: Readable = new Readable({
      read: () => this.#drained(outlet),
      destroy: (error, done) => {
        this.#open.delete(outlet);
        this.#drained(outlet);
        done(error);
      },
    });
    this.#open.add(outlet);
    this.#over.push(finished(outlet).catch(() => undefined));
    return outlet;
  }

  /** What nobody wants, or wants any more, is dropped. */
  push(outlet: Readable | undefined, chunk: Uint8Array): void {
    if (outlet === undefined || !this.#open.has(outlet) || outlet.push(chunk)) return;
    this.#full.add(outlet);
    this.#source.pause();
  }

  end(outlet: Readable | undefined): void {
    if (outlet !== undefined && this.#open.delete(outlet)) outlet.push(null);
  }

  endAll(): void {
    for (const outlet of this.#open) this.end(outlet);
  }

  /** What has not been read is dropped. */
  destroyAll(): void {
    for (const outlet of this.#open) outlet.destroy();
  }

  /** When all have been read to their end, or dropped. */
  async over(): Promise<void> {
    await Promise.all(this.#over);
  }

  #drained(outlet: Readable): void {
    if (this.#full.delete(outlet) && this.#full.size === 0) this.#source.resume();
  }
}
