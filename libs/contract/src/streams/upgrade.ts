import { createHash } from 'node:crypto';
import { ServerResponse, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InterlinkError } from '../errors.ts';
import { routes } from '../routes.ts';
import { streamProtocols, type StreamRoute } from './stream-requests.ts';

/** The socket of a request that asks to leave HTTP, and what its sender has sent already. */
export interface UpgradedSocket {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** An upgrade that the contract knows, and that its sender has asked for correctly. */
export interface Handshake extends UpgradedSocket {
  readonly key: string;
}

// Beside the request, as the caller is: nothing in a request can claim to be one.
const asked = new WeakMap<IncomingMessage, UpgradedSocket>();

const paths = new Set<string>(streamRouteNames().map((name) => routes[name].path));
const tokenShape = /^[\w!#$%&'*+.^`|~-]+$/;
const keyShape = /^[A-Za-z0-9+/]{22}==$/;

export function streamRouteNames(): StreamRoute[] {
  return ['exec', 'attach', 'portForward'];
}

/** For `shouldUpgradeCallback` of a server: any other request to leave HTTP is answered as if it had not asked. */
export function isStreamUpgrade({ method, headers, url = '' }: IncomingMessage): boolean {
  const [path = ''] = url.split('?', 1);
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && !hasBody && paths.has(path);
}

/**
 * For the `upgrade` event of a server: the request goes the way of all others, through authentication, routes and
 * error answers. A handler takes the socket with {@link takeHandshake}; else the answer ends the connection.
 */
export function answerUpgrades(
  app: (request: IncomingMessage, response: ServerResponse) => void,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    // Always followed by the close.
    socket.on('error', () => undefined);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.destroySoon());
    asked.set(request, { socket, head });
    app(request, response);
  };
}

/** @throws InterlinkError Malformed for a request that is no WebSocket of this route. */
export function takeHandshake(request: IncomingMessage, route: StreamRoute): Handshake {
  const protocol = streamProtocols[route];
  const { headers } = request;
  const upgraded = asked.get(request);
  const key = headers['sec-websocket-key'] ?? '';
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  const readable = offered.every((one) => tokenShape.test(one)) && new Set(offered).size === offered.length;
  const correct =
    headers['sec-websocket-version'] === '13' && keyShape.test(key) && readable && offered.includes(protocol);
  if (upgraded !== undefined && correct) return { ...upgraded, key };
  throw new InterlinkError(
    'Malformed',
    `${routes[route].path} is a WebSocket: ask with Upgrade: websocket, Sec-WebSocket-Version: 13 and Sec-WebSocket-Protocol: ${protocol}`,
  );
}

/** RFC 6455: what proves that a server has understood the handshake. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
