import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InterlinkError, type CommandOutcome, type CommandStreams } from '@interlink/contract';
import { stoppingError, textOf, type Status } from './outcome-status.ts';
import { resizeEvents } from './resize-events.ts';
import type { StreamSession } from './stream-session.ts';

export interface RunOptions {
  /** Starts the command at the site; the signal aborts when nobody waits for it any more. */
  readonly start: (signal: AbortSignal) => Promise<CommandStreams>;
  readonly statusOf: (outcome: CommandOutcome) => Status;
  /** Aborts when this server stops. */
  readonly stop: AbortSignal;
}

/** Joins a client and a command until the command ends, the client goes, or the server stops. Never rejects. */
export async function runCommand(session: StreamSession, { start, statusOf, stop }: RunOptions): Promise<Status> {
  const over = AbortSignal.any([session.gone, stop]);
  const outcome = await start(over).then(
    (command) => join(session, command, over),
    (thrown: unknown): CommandOutcome => ({ error: InterlinkError.from(thrown) }),
  );
  const status = statusOf(stop.aborted ? { error: stoppingError() } : outcome);
  if (!session.gone.aborted) {
    const text = session.errorFormat === 'status' ? JSON.stringify(status) : textOf(status);
    await endWith(session.error, text, session.gone);
    await session.close();
  }
  return status;
}

async function join(session: StreamSession, command: CommandStreams, over: AbortSignal): Promise<CommandOutcome> {
  const hangUp = () => command.close();
  over.addEventListener('abort', hangUp, { once: true });
  if (over.aborted) hangUp();
  const sizes = resize(session.resize, command);
  try {
    feed(session.stdin, command.stdin);
    // All that the command said goes out before its end is told.
    await Promise.all([copy(command.stdout, session.stdout), copy(command.stderr, session.stderr)]);
    return await command.outcome;
  } finally {
    over.removeEventListener('abort', hangUp);
    command.close();
    session.resize?.destroy();
    await sizes;
  }
}

/**
 * Not by `pipeline`: that would reset the client's stdin when the command reads no more, and an error is what the client would
 * make of it. What nobody reads is dropped, because behind it may come the client's good-bye.
 */
function feed(from: Readable | undefined, to: Writable | undefined): void {
  if (from === undefined || to === undefined) {
    from?.resume();
    return;
  }
  const drop = () => {
    from.unpipe(to);
    from.resume();
  };
  to.on('error', drop).once('close', drop);
  from.pipe(to);
}

/** Either end may go first; that is no error of the command. */
async function copy(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) return;
  if (to === undefined) from.resume();
  else await pipeline(from, to).catch(() => undefined);
}

async function resize(from: Readable | undefined, command: CommandStreams): Promise<void> {
  if (from === undefined) return;
  for await (const size of resizeEvents(from)) command.resize(size);
}

/** Resolves also when the client goes before it has taken it. */
async function endWith(stream: Writable, text: string, gone: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  gone.addEventListener('abort', () => resolve(), { once: true });
  stream.once('close', resolve);
  if (text === '') stream.end(resolve);
  else stream.end(text, () => resolve());
  await promise;
}
