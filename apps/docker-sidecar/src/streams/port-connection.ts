import { Duplex } from 'node:stream';
import { InterlinkError, type CommandStreams } from '@interlink/contract';

const maxComplaintBytes = 1024;

/** A program that joins its stdin and stdout to a port, as one connection. What it complains of is the error. */
export class PortConnection extends Duplex {
  readonly #program: CommandStreams;
  readonly #failure: string;
  #complaint = '';

  constructor(program: CommandStreams, failure: string) {
    super({ allowHalfOpen: true });
    this.#program = program;
    this.#failure = failure;
    const { stdout, stderr } = program;
    stdout?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    stderr?.on('data', (chunk: Buffer) => {
      if (this.#complaint.length < maxComplaintBytes) this.#complaint += chunk.toString('utf8');
    });
    this.#follow().catch((error: Error) => this.destroy(error));
  }

  override _read(): void {
    this.#program.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { stdin } = this.#program;
    if (stdin?.writable) stdin.write(chunk, () => done());
    else done();
  }

  override _final(done: () => void): void {
    const { stdin } = this.#program;
    if (stdin?.writable) stdin.end(() => done());
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#program.close();
    done(error);
  }

  async #follow(): Promise<void> {
    const outcome = await this.#program.outcome;
    if (this.destroyed) return;
    if ('error' in outcome) throw outcome.error;
    if (outcome.exitCode !== 0) {
      const why = this.#complaint.slice(0, maxComplaintBytes).trim() || `exit code ${outcome.exitCode}`;
      throw new InterlinkError('Unavailable', `${this.#failure}: ${why}`);
    }
    // Both directions are over with the program; what it has sent is still to be read.
    this.once('end', () => this.destroy());
    this.push(null);
  }
}
