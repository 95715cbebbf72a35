import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';

/** Asks for an upgrade; without one the answer is an ordinary response. */
export async function upgrade(
  port: number,
  path: string,
  options: RequestOptions,
): Promise<{ response: IncomingMessage; socket: Socket | undefined }> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    signal: AbortSignal.timeout(10_000),
    ...options,
  });
  sent.end();
  return new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response) => resolve({ response, socket: undefined }));
    sent.once('upgrade', (response, socket: Socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ response, socket });
    });
  });
}

/** A WebSocket client that keeps every message. */
export class WsClient {
  readonly ws: WebSocket;
  readonly messages: Buffer[] = [];
  #closed: number | undefined;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => this.messages.push(data as Buffer));
    ws.on('error', () => undefined);
    ws.once('close', (code) => (this.#closed = code));
  }

  get closed(): number | undefined {
    return this.#closed;
  }

  /** Rejects with the status of an answer that is no upgrade. */
  static async open(port: number, path: string, protocols: string[], options: ClientOptions): Promise<WsClient> {
    const client = new WsClient(new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, options));
    const refused = once(client.ws, 'unexpected-response').then(([, response]: unknown[]) => {
      throw new Error(`refused: ${(response as IncomingMessage).statusCode}`);
    });
    await Promise.race([once(client.ws, 'open'), refused]);
    refused.catch(() => undefined);
    return client;
  }

  /** All that came on a channel, its number taken off. */
  text(channel: number): string {
    const own = this.messages.filter(([first]) => first === channel).map((message) => message.subarray(1));
    return Buffer.concat(own).toString();
  }
}
