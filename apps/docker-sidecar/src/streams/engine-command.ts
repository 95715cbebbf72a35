import { Writable, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError, Outlets, type CommandOutcome, type CommandStreams } from '@interlink/contract';
import { sortError } from '../engine-error.ts';
import { EngineFrames } from './engine-frames.ts';
import { Resizer } from './resizer.ts';
import type { EngineStreams, Hijacked } from './stream-engine.ts';

const stderrOfFrames = 2;

/** The engine's one connection as the streams of a command. Nothing is read of it that its readers do not take. */
export function engineCommand(hijacked: Hijacked, wanted: EngineStreams): CommandStreams {
  const { socket } = hijacked;
  const outlets = new Outlets(socket);
  const stdout = wanted.stdout ? outlets.open() : undefined;
  const stderr = wanted.stderr && !wanted.tty ? outlets.open() : undefined;
  const stdin = wanted.stdin ? inputOf(socket) : undefined;
  const hangUp = new AbortController();
  const resizer = new Resizer((size) => hijacked.resize(size, hangUp.signal), hangUp.signal);

  const frames = new EngineFrames((stream, content) =>
    outlets.push(stream === stderrOfFrames ? stderr : stdout, content),
  );
  socket.on('data', (chunk: Buffer) => (wanted.tty ? outlets.push(stdout, chunk) : frames.take(chunk)));
  const over = new Promise<Error | undefined>((resolve) => {
    socket.on('error', resolve);
    socket.once('end', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });

  const outcome = async (): Promise<CommandOutcome> => {
    const broken = await over;
    outlets.endAll();
    stdin?.destroy();
    socket.destroy();
    await outlets.over();
    try {
      if (hangUp.signal.aborted) throw new InterlinkError('Unavailable', 'the stream was hung up');
      if (broken !== undefined) throw sortError(broken);
      return { exitCode: await exitCodeOf(hijacked, hangUp.signal) };
    } catch (thrown) {
      return { error: InterlinkError.from(thrown, 'Unavailable') };
    } finally {
      await resizer.done();
    }
  };
  return {
    stdin,
    stdout,
    stderr,
    outcome: outcome(),
    resize: (size) => resizer.resize(size),
    close: () => {
      hangUp.abort();
      socket.destroy();
      outlets.destroyAll();
    },
  };
}

/** A command that reads no more is no error: what is still sent to it is dropped. */
function inputOf(socket: Duplex): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, () => done());
    },
    final: (done) => {
      socket.end(() => done());
    },
  });
}

/** The streams end a moment before the engine knows the code; and much earlier where a command closes them itself. */
async function exitCodeOf(hijacked: Hijacked, signal: AbortSignal): Promise<number> {
  for (let wait = 2; ; wait = Math.min(wait * 2, 1000)) {
    const exitCode = await hijacked.exitCode(signal);
    if (exitCode !== undefined) return exitCode;
    await sleep(wait, undefined, { signal });
  }
}
