import { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { InterlinkError } from '../errors.ts';
import type { CommandOutcome, CommandStreams } from './command-streams.ts';
import { parseOutcome } from './command-status.ts';
import { channel, formatSize, parseFrame, sendClose, sendFrame } from './frames.ts';
import { closeWhenSaid } from './hang-up.ts';
import { Outlets } from './outlets.ts';
import type { AttachRequest } from './stream-requests.ts';

export type WantedStreams = Pick<AttachRequest, 'stdin' | 'stdout' | 'stderr' | 'tty'>;

/** The asking side of a command's WebSocket. */
export function commandOver(socket: WebSocket, wanted: WantedStreams, peer: string): CommandStreams {
  const outlets = new Outlets(socket);
  const stdout = wanted.stdout ? outlets.open() : undefined;
  const stderr = wanted.stderr && !wanted.tty ? outlets.open() : undefined;
  const stdin = wanted.stdin ? inputOf(socket) : undefined;
  const told = Promise.withResolvers<CommandOutcome>();
  const ends = (outcome: CommandOutcome) => {
    told.resolve(outcome);
    outlets.endAll();
  };

  socket.on('message', (data) => {
    const { channel: from, content } = parseFrame(data);
    if (from === channel.stdout) outlets.push(stdout, content);
    else if (from === channel.stderr) outlets.push(stderr, content);
    else if (from === channel.status) {
      ends(parseOutcome(content, peer));
      closeWhenSaid(socket);
    } else if (from === channel.close && content[0] === channel.stdout) outlets.end(stdout);
    else if (from === channel.close && content[0] === channel.stderr) outlets.end(stderr);
  });
  // Always followed by the close.
  socket.on('error', () => undefined);
  socket.once('close', (_code, reason) => {
    const why = reason.length === 0 ? 'the connection broke off' : reason.toString('utf8');
    ends({ error: new InterlinkError('Unavailable', `${peer} ended the stream before the command had ended: ${why}`) });
    stdin?.destroy();
  });
  return {
    stdin,
    stdout,
    stderr,
    outcome: told.promise.then(async (outcome) => {
      await outlets.over();
      return outcome;
    }),
    resize: (size) => sendFrame(socket, channel.resize, formatSize(size), () => undefined),
    close: () => {
      socket.terminate();
      outlets.destroyAll();
    },
  };
}

/** What cannot be sent any more is dropped: the outcome tells of the broken connection. */
function inputOf(socket: WebSocket): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => sendFrame(socket, channel.stdin, chunk, () => done()),
    final: (done) => sendClose(socket, channel.stdin, () => done()),
  });
}
