import type { WebSocket } from 'ws';
import { InterlinkError } from '@interlink/contract';
import { forward, portOf, type Forwarder } from '../port-forward.ts';
import { WsChannels } from './ws-channels.ts';

/** SPDY frames in binary messages: what kubectl speaks. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
/** Two channels a port, and one connection only: for clients in a browser. */
export const channelForwardProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const;

const maxPorts = 100;

/** @throws InterlinkError Malformed */
export function portsOf(query: URLSearchParams): number[] {
  const texts = query.getAll('port').flatMap((text) => text.split(','));
  const ports = texts.map(portOf).filter((port) => port !== undefined);
  if (ports.length === 0 || ports.length < texts.length || ports.length > maxPorts) {
    throw new InterlinkError('Malformed', 'query parameter "port" must name one or more ports between 1 and 65535');
  }
  return ports;
}

/** Resolves when all connections are over, the client has gone, or after `stop`. Never rejects. */
export async function forwardOverChannels(
  ws: WebSocket,
  protocol: string,
  ports: readonly number[],
  forwarder: Forwarder,
  stop: AbortSignal,
): Promise<void> {
  const channels = new WsChannels(ws, {
    count: 2 * ports.length,
    readable: new Set(ports.map((_, index) => 2 * index)),
    base64: protocol.includes('base64'),
    halfClose: false,
  });
  const signal = AbortSignal.any([stop, channels.gone]);
  await Promise.all(
    ports.map(async (port, index) => {
      const streams = { data: channels.channel(2 * index), error: channels.channel(2 * index + 1) };
      // So that the client knows which is which, and that the connection is there.
      for (const stream of [streams.data, streams.error]) stream.write(portPrefix(port));
      // There is no half-close here: what the pod has ended is over.
      streams.data.once('finish', () => channels.endInput(2 * index));
      await forward(streams, port, forwarder, signal);
    }),
  );
  await channels.close();
}

function portPrefix(port: number): Buffer {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16LE(port);
  return prefix;
}
