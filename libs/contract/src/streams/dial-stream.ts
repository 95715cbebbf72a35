import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, Socket } from 'node:net';
import { WebSocket } from 'ws';
import { errorBodySchema, InterlinkError } from '../errors.ts';
import { firstBytes, parseJson } from '../first-bytes.ts';
import { maxMessageBytes } from './frames.ts';
import { streamProtocols, type StreamRoute } from './stream-requests.ts';
import { acceptOf, type UpgradedSocket } from './upgrade.ts';

/** Where and how a stream is asked for. */
export interface StreamDial {
  readonly route: StreamRoute;
  /** With the query. */
  readonly path: string;
  /** unix:///path, http://host:port or https://host:port */
  readonly endpoint: string;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly headers: Record<string, string>;
  /** Bounds the handshake, nothing after it. */
  readonly signal: AbortSignal;
  /** For messages. */
  readonly peer: string;
}

/**
 * Opens a WebSocket; `use` is called before its first message can arrive.
 * @throws InterlinkError as the peer says it, or the error of the connection itself.
 */
export async function dialWebSocket<T>(dial: StreamDial, use: (socket: WebSocket) => T): Promise<T> {
  const { path, endpoint, tls, headers, signal, peer, route } = dial;
  const socketPath = socketPathOf(endpoint);
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const url = socketPath === undefined ? `${endpoint.replace(/^http/, 'ws')}${path}` : `ws://unix${path}`;
    const socket = new WebSocket(url, [streamProtocols[route]], {
      headers,
      minVersion: 'TLSv1.2',
      ...tls,
      ...(socketPath === undefined ? {} : { createConnection: () => connect(socketPath) }),
      perMessageDeflate: false,
      // A mask guards what stands between against browsers; here it would only cost time, and a zero one costs none.
      generateMask: (mask) => mask.fill(0),
      maxPayload: maxMessageBytes,
    });
    const abort = () => socket.terminate();
    signal.addEventListener('abort', abort, { once: true });
    const over = () => signal.removeEventListener('abort', abort);
    socket.once('open', () => {
      over();
      resolve(use(socket));
    });
    socket.once('unexpected-response', (request, response) => {
      over();
      refusalOf(response, route, peer)
        .then(reject, reject)
        .finally(() => request.destroy());
    });
    socket.once('error', (error) => {
      over();
      reject(error);
    });
  });
}

/** Opens the connection of a WebSocket and leaves what is said on it to the caller, whose key it answers. */
export async function dialRaw(dial: StreamDial, key: string): Promise<UpgradedSocket> {
  const { path, endpoint, tls, headers, signal, peer, route } = dial;
  const socketPath = socketPathOf(endpoint);
  const send = endpoint.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise<UpgradedSocket>((resolve, reject) => {
    const request = send(new URL(path, socketPath === undefined ? endpoint : 'http://unix'), {
      ...(socketPath === undefined ? {} : { socketPath }),
      minVersion: 'TLSv1.2',
      ...tls,
      agent: false,
      headers: {
        ...headers,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': key,
        'Sec-WebSocket-Protocol': streamProtocols[route],
      },
    });
    const abort = () => request.destroy(new Error('no answer in time'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    request.once('close', () => signal.removeEventListener('abort', abort));
    request.once('upgrade', (response, socket, head) => {
      signal.removeEventListener('abort', abort);
      const agreed =
        response.headers['sec-websocket-accept'] === acceptOf(key) &&
        response.headers['sec-websocket-protocol'] === streamProtocols[route];
      if (agreed && socket instanceof Socket) resolve({ socket, head });
      else {
        socket.destroy();
        reject(new InterlinkError('Unavailable', `${peer} answered with another protocol than the contract has`));
      }
    });
    request.once('response', (response) => {
      refusalOf(response, route, peer)
        .then(reject, reject)
        .finally(() => request.destroy());
    });
    request.on('error', reject);
    request.end();
  });
}

function socketPathOf(endpoint: string): string | undefined {
  return endpoint.startsWith('unix://') ? endpoint.slice('unix://'.length) : undefined;
}

const features: Record<StreamRoute, string> = { exec: 'exec', attach: 'attach', portForward: 'port-forward' };

async function refusalOf(response: IncomingMessage, route: StreamRoute, peer: string): Promise<InterlinkError> {
  const status = response.statusCode ?? 0;
  const text = await firstBytes(response);
  const isOurs = errorBodySchema.safeParse(parseJson(text)).success;
  if (status === 404 && !isOurs) {
    return new InterlinkError('NotFound', `this site has no ${features[route]}: ${peer} is a classic plugin`);
  }
  return InterlinkError.fromResponse(status, text, peer);
}
