import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

/** Sends a request to the port; the answer's head has arrived, its body has not. */
export async function open(port: number, path: string, options: RequestOptions): Promise<IncomingMessage> {
  const sent = request({ host: '127.0.0.1', port, path, agent: false, signal: AbortSignal.timeout(5000), ...options });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

/** A whole answer; rejects when the connection fails or breaks off. */
export async function ask(port: number, path: string, options: RequestOptions): Promise<Answer> {
  const response = await open(port, path, options);
  return { status: response.statusCode ?? 0, type: response.headers['content-type'], text: await text(response) };
}
