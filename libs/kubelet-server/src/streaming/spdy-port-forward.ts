import type { Duplex } from 'node:stream';
import { forward, portOf, type ForwardedStreams, type Forwarder } from './port-forward.ts';
import { SpdyConnection } from './spdy/spdy-connection.ts';
import type { SpdyStream } from './spdy/spdy-stream.ts';
import { streamCreationMs } from './spdy-session.ts';

export const spdyForwardProtocol = 'portforward.k8s.io';

/** One of the two streams of a connection is here, the other is awaited. */
interface Half {
  readonly streams: Partial<ForwardedStreams>;
  readonly timer: NodeJS.Timeout;
}

/**
 * Port-forward: for each TCP connection the client opens a pair of streams, `data` and `error`, joined by a request id.
 * Resolves when the client has gone, or after `stop` (whose reason is told on every error stream). Never rejects.
 */
export async function forwardOverSpdy(transport: Duplex, forwarder: Forwarder, stop: AbortSignal): Promise<void> {
  const halves = new Map<string, Half>();
  const active = new Set<Promise<void>>();
  const gone = new AbortController();
  const signal = AbortSignal.any([stop, gone.signal]);

  const start = (streams: ForwardedStreams, port: number) => {
    const done = forward(streams, port, forwarder, signal).then(() => {
      active.delete(done);
    });
    active.add(done);
  };
  const connection: SpdyConnection = new SpdyConnection(transport, (stream) => {
    const type = stream.headers.get('streamtype');
    const port = portOf(stream.headers.get('port'));
    if ((type !== 'data' && type !== 'error') || port === undefined || stop.aborted) {
      stream.destroy();
      return;
    }
    const id = requestIdOf(stream, type);
    const half = halves.get(id);
    const { data, error }: Partial<ForwardedStreams> = { ...half?.streams, [type]: stream };
    if (data !== undefined && error !== undefined && half?.streams[type] === undefined) {
      clearTimeout(half?.timer);
      halves.delete(id);
      start({ data, error }, port);
    } else if (half === undefined) {
      halves.set(id, { streams: { [type]: stream }, timer: setTimeout(() => dropHalf(id), streamCreationMs) });
    } else {
      stream.destroy();
    }
  });
  const dropHalf = (id: string) => {
    const { data, error } = halves.get(id)?.streams ?? {};
    halves.delete(id);
    error?.end('the client has not opened the data stream of this connection in time');
    data?.destroy();
  };

  const close = async () => {
    await Promise.all(active);
    connection.close();
  };
  const closing = Promise.withResolvers<void>();
  const onStop = () => closing.resolve(close());
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  await connection.run();
  stop.removeEventListener('abort', onStop);
  gone.abort();
  for (const { timer } of halves.values()) clearTimeout(timer);
  await Promise.all(active);
}

/** Clients from before the header was there open the error stream first, and the data stream right behind it. */
function requestIdOf({ id, headers }: SpdyStream, type: 'data' | 'error'): string {
  return headers.get('requestid') ?? `stream ${type === 'error' ? id : id - 2}`;
}
