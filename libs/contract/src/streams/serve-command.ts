import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { WebSocket } from 'ws';
import type { CommandStreams } from './command-streams.ts';
import { formatOutcome } from './command-status.ts';
import { channel, parseFrame, parseSize, sendClose, sendFrame } from './frames.ts';
import { breakOff, closeWhenSaid, goingAway, keepAlive, onAbort } from './hang-up.ts';

/** For the goodbye to who still listens when the service stops. */
export interface StreamService {
  readonly name: string;
  readonly stopping: AbortSignal;
}

/** Joins a command to the WebSocket of whoever asked for it, until one of them ends or the service stops. */
export async function serveCommand(socket: WebSocket, command: CommandStreams, service: StreamService): Promise<void> {
  takeInput(socket, command);
  keepAlive(socket);
  const stop = () => {
    breakOff(socket, goingAway, `${service.name} is stopping`);
    command.close();
  };
  onAbort(service.stopping, socket, stop);
  socket.once('close', () => command.close());
  await Promise.all([
    giveOutput(socket, command.stdout, channel.stdout),
    giveOutput(socket, command.stderr, channel.stderr),
  ]);
  const outcome = await command.outcome;
  if (service.stopping.aborted) return;
  sendFrame(socket, channel.status, formatOutcome(outcome), () => closeWhenSaid(socket));
}

function takeInput(socket: WebSocket, { stdin, resize }: CommandStreams): void {
  // A command that reads no more is no error: what is still sent to it is dropped.
  stdin?.on('error', () => undefined);
  stdin?.on('drain', () => socket.resume());
  stdin?.once('close', () => socket.resume());
  // Always followed by the close.
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const frame = parseFrame(data);
    if (frame.channel === channel.stdin) {
      if (stdin?.writable && !stdin.write(frame.content)) socket.pause();
    } else if (frame.channel === channel.close) {
      if (frame.content[0] === channel.stdin) stdin?.end();
    } else if (frame.channel === channel.resize) {
      const size = parseSize(frame.content);
      if (size !== undefined) resize(size);
    }
  });
}

/** Until the output has ended and is sent; a broken one says why in the command's outcome. */
async function giveOutput(socket: WebSocket, output: Readable | undefined, to: number): Promise<void> {
  if (output === undefined) return;
  const sender = new Writable({
    write: (chunk: Buffer, _encoding, done) => sendFrame(socket, to, chunk, done),
    final: (done) => sendClose(socket, to, done),
  });
  await pipeline(output, sender).catch(() => undefined);
}
