import { PassThrough, type Readable, type Writable } from 'node:stream';
import { InterlinkError, type CommandOutcome, type CommandStreams, type TerminalSize } from '@interlink/contract';

/** A command whose other side is the test's. */
export class FakeCommand implements CommandStreams {
  readonly stdin: (Writable & Readable) | undefined;
  readonly stdout: PassThrough | undefined;
  readonly stderr: PassThrough | undefined;
  readonly sizes: TerminalSize[] = [];
  readonly outcome: Promise<CommandOutcome>;
  readonly #settle: (outcome: CommandOutcome) => void;
  isClosed = false;

  constructor({ stdin = true, stdout = true, stderr = true }: { stdin?: boolean; stdout?: boolean; stderr?: boolean }) {
    this.stdin = stdin ? new PassThrough() : undefined;
    this.stdout = stdout ? new PassThrough() : undefined;
    this.stderr = stderr ? new PassThrough() : undefined;
    const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  end(outcome: CommandOutcome): void {
    this.stdout?.end();
    this.stderr?.end();
    this.#settle(outcome);
  }

  close(): void {
    this.isClosed = true;
    this.end({ error: new InterlinkError('Unavailable', 'hung up') });
  }
}

/** Says what it reads, and ends with its input. */
export function echo(request: { stdin: boolean; stdout: boolean; stderr: boolean }): FakeCommand {
  const command = new FakeCommand(request);
  command.stdin?.on('data', (data: Buffer) => {
    if (command.stdout?.write(data) === false) {
      command.stdin?.pause();
      command.stdout.once('drain', () => command.stdin?.resume());
    }
  });
  command.stdin?.on('end', () => command.end({ exitCode: 0 }));
  return command;
}
