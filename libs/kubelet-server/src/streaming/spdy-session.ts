import type { Duplex } from 'node:stream';
import { InterlinkError } from '@interlink/contract';
import { SpdyConnection } from './spdy/spdy-connection.ts';
import type { SpdyStream } from './spdy/spdy-stream.ts';
import { errorFormatOf, type StreamSession, type StreamsWanted } from './stream-session.ts';

/** Best first; v5 differs from v4 by a half-close, which SPDY always has. */
export const spdyCommandProtocols = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

/** How long the client may take to open its streams. */
export const streamCreationMs = 30_000;

/**
 * The session on a connection that has been upgraded to SPDY.
 * @throws InterlinkError Malformed when the client does not open its streams in time; the connection is closed then
 */
export async function spdySession(
  transport: Duplex,
  protocol: string,
  wanted: StreamsWanted,
  timeoutMs: number = streamCreationMs,
): Promise<StreamSession> {
  const streams = new Map<string, SpdyStream>();
  const expected = new Set(streamTypes(protocol, wanted));
  const complete = Promise.withResolvers<void>();
  const connection = new SpdyConnection(transport, (stream) => {
    const type = stream.headers.get('streamtype') ?? '';
    if (!expected.delete(type)) {
      stream.destroy();
      return;
    }
    streams.set(type, stream);
    if (expected.size === 0) complete.resolve();
  });
  const gone = new AbortController();
  const running = connection.run().then(() => {
    gone.abort();
    complete.reject(new InterlinkError('Malformed', 'the client went before it had opened its streams'));
  });
  const timer = setTimeout(() => {
    const missing = [...expected].join(', ');
    complete.reject(new InterlinkError('Malformed', `the client has not opened these streams in time: ${missing}`));
  }, timeoutMs);
  const close = async () => {
    connection.close();
    await running;
  };
  try {
    await complete.promise;
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const error = streams.get('error');
  if (error === undefined) throw new Error('unreachable: the error stream is always expected');
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    error,
    resize: streams.get('resize'),
    errorFormat: errorFormatOf(protocol),
    gone: gone.signal,
    close,
  };
}

function streamTypes(protocol: string, { stdin, stdout, stderr, tty }: StreamsWanted): string[] {
  const knowsResize = protocol.startsWith('v3.') || protocol.startsWith('v4.');
  return [
    'error',
    ...(stdin ? ['stdin'] : []),
    ...(stdout ? ['stdout'] : []),
    ...(stderr ? ['stderr'] : []),
    ...(tty && knowsResize ? ['resize'] : []),
  ];
}
