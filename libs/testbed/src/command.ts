import { spawn } from 'node:child_process';
import { TestbedError } from './testbed-error.ts';

export interface CommandResult {
  stdout: string;
  stderr: string;
  /** The exit code; -1 where a signal ended the command. */
  code: number;
}

export interface CommandOptions {
  cwd?: string;
  /** The whole environment, not an addition to ours. */
  env?: NodeJS.ProcessEnv;
  /** Given to standard input, which is empty otherwise. */
  input?: string;
  /** After this the command is killed and the call fails. Default 60 s. */
  timeoutMs?: number;
}

/** A command may print this many bytes on each output; what comes after is dropped, for nobody reads so much. */
const outputLimit = 32 * 1024 * 1024;

/** Runs a command to its end. Fails only where it could not be run or took too long; a bad exit code is a result. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { timeoutMs = 60_000, input, cwd, env } = options;
  const [command, ...args] = argv;
  if (command === undefined) throw new TestbedError('no command given');
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' });
    const started = performance.now();
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.once('error', (cause) => reject(new TestbedError(`cannot run ${command}: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL' && performance.now() - started >= timeoutMs) {
        reject(new TestbedError(`${describe(argv)} did not end within ${timeoutMs / 1000} s\n${lastLines(stderr())}`));
      } else resolve({ stdout: stdout(), stderr: stderr(), code: code ?? -1 });
    });
    // A command that does not read its input closes it; that is its own affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** As runCommand, but a bad exit code fails too, with the end of what the command said. */
export async function runOrFail(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv, options);
  if (code !== 0)
    throw new TestbedError(`${describe(argv)} ended with exit code ${code}\n${lastLines(stderr || stdout)}`);
  return stdout;
}

/** The last lines of a text, for an error message. */
export function lastLines(text: string, count = 20): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

// Arguments may hold a token or a long document: the first few say enough.
function describe(argv: readonly string[]): string {
  return argv.slice(0, 3).join(' ');
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < outputLimit) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
