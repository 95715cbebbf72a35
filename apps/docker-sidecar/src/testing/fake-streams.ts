import { Duplex, PassThrough } from 'node:stream';
import type { EngineStreams, Hijacked, StreamCalls } from '../streams/stream-engine.ts';

/** The streams of a {@link FakeEngine}: what is written to an engine's connection, a test reads from it. */
export class FakeStreams implements StreamCalls {
  readonly asked: { readonly what: string; readonly id: string; readonly streams: EngineStreams }[] = [];
  readonly sizes: string[] = [];
  readonly measured = new Map<string, unknown>();
  /** The engine's side of the last connection: what comes in, and what goes out. */
  input = new PassThrough();
  output = new PassThrough();
  code: number | undefined = 0;

  async exec(id: string, command: readonly string[], streams: EngineStreams): Promise<Hijacked> {
    return this.#open(`exec ${command.join(' ')}`, id, streams);
  }

  async attach(id: string, streams: EngineStreams): Promise<Hijacked> {
    return this.#open('attach', id, streams);
  }

  async stats(id: string): Promise<unknown> {
    return Promise.resolve(this.measured.get(id) ?? {});
  }

  #open(what: string, id: string, streams: EngineStreams): Hijacked {
    this.asked.push({ what, id, streams });
    this.input = new PassThrough();
    this.output = new PassThrough();
    return {
      socket: Duplex.from({ readable: this.output, writable: this.input }),
      resize: async ({ width, height }) => {
        this.sizes.push(`${width}x${height}`);
        return Promise.resolve();
      },
      exitCode: () => Promise.resolve(this.code),
    };
  }
}
