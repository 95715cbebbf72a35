import type { WebSocket } from 'ws';
import { errorFormatOf, type StreamSession, type StreamsWanted } from '../stream-session.ts';
import { WsChannels } from './ws-channels.ts';

/** Where a client offers none, it speaks the first version, in binary. */
export const wsCommandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** The session on a connection that has been upgraded to a WebSocket. */
export function wsSession(ws: WebSocket, protocol: string, wanted: StreamsWanted): StreamSession {
  const open = new WsChannels(ws, {
    count: 5,
    readable: new Set([...(wanted.stdin ? [channels.stdin] : []), ...(wanted.tty ? [channels.resize] : [])]),
    base64: protocol.includes('base64'),
    halfClose: protocol === 'v5.channel.k8s.io',
  });
  const session: StreamSession = {
    stdin: wanted.stdin ? open.channel(channels.stdin) : undefined,
    stdout: wanted.stdout ? open.channel(channels.stdout) : undefined,
    stderr: wanted.stderr ? open.channel(channels.stderr) : undefined,
    error: open.channel(channels.error),
    resize: wanted.tty ? open.channel(channels.resize) : undefined,
    errorFormat: errorFormatOf(protocol),
    gone: open.gone,
    close: () => open.close(),
  };
  // As the kubelet does: an empty message tells the client that the connection is there.
  (session.stdout ?? session.stderr ?? session.error).write(Buffer.alloc(0));
  return session;
}
