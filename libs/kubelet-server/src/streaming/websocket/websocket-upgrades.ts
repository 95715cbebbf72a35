import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { InterlinkError } from '@interlink/contract';

/** A message is kept whole until it is read; as large as the kubelet takes them. */
const maxMessageBytes = 32 * 1024 * 1024;

/** The subprotocols that a client offers, best first. */
export function offeredProtocols({ headers }: IncomingMessage): string[] {
  const header = headers['sec-websocket-protocol'] ?? '';
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Answers handshakes with a subprotocol that the caller has chosen. The one of port-forward has a `/` in its name, which no token
 * may have, and `ws` would refuse it: so it never sees the header, and the answer's is added by us.
 */
export class WebSocketUpgrades {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  readonly #chosen = new WeakMap<IncomingMessage, string>();
  readonly #refused = new WeakMap<IncomingMessage, (error: Error) => void>();

  constructor() {
    this.#server.on('headers', (headers, request) => {
      const protocol = this.#chosen.get(request);
      if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
    });
    this.#server.on('wsClientError', (error, _socket, request) => this.#refused.get(request)?.(error));
  }

  /** @throws InterlinkError Malformed for a handshake that is none; nothing has been answered then */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): Promise<WebSocket> {
    delete request.headers['sec-websocket-protocol'];
    if (protocol !== '') this.#chosen.set(request, protocol);
    return new Promise((resolve, reject) => {
      this.#refused.set(request, (cause) =>
        reject(new InterlinkError('Malformed', `no WebSocket handshake: ${cause.message}`, { cause })),
      );
      this.#server.handleUpgrade(request, socket, head, resolve);
    });
  }
}
