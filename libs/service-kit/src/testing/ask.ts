import { request, type RequestOptions } from 'node:http';
import { request as tlsRequest, type RequestOptions as TlsRequestOptions } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** One request of a test, over a unix socket, http or https; rejects when the connection fails or breaks off. */
export async function ask(
  address: string,
  path: string,
  options: RequestOptions & TlsRequestOptions & { body?: string } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  const unix = address.startsWith('unix://');
  const url = new URL(path, unix ? 'http://unix' : address);
  const all = {
    agent: false,
    signal: AbortSignal.timeout(5000),
    ...(unix ? { socketPath: address.slice('unix://'.length) } : {}),
    ...rest,
  };
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === 'https:' ? tlsRequest : request)(url, all, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
