import { PassThrough } from 'node:stream';
import type { CommandOutcome, CommandStreams, TerminalSize } from '../streams/command-streams.ts';

/** A command whose streams are in the hands of a test. */
export class MemoryCommand implements CommandStreams {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sizes: TerminalSize[] = [];
  readonly #outcome = Promise.withResolvers<CommandOutcome>();
  readonly outcome = this.#outcome.promise;
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves when it is hung up. */
  readonly closed = this.#closed.promise;

  readonly resize = (size: TerminalSize): void => {
    this.sizes.push(size);
  };

  readonly close = (): void => {
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
    this.#closed.resolve();
  };

  end(outcome: CommandOutcome): void {
    this.stdout.end();
    this.stderr.end();
    this.#outcome.resolve(outcome);
  }
}
