import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ContractClient, type Leg } from '@interlink/contract';
import { Failure } from './check.ts';

export interface PeerOptions {
  /** unix:///path, http://host:port or https://host:port */
  readonly endpoint: string;
  /** The bearer key. */
  readonly key?: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface PeerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, whatever the method. */
  readonly body?: string | Buffer;
  readonly signal: AbortSignal;
  /** Default true: with the key and the client certificate. */
  readonly withCredentials?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const maxAnswerBytes = 64 * 1024 * 1024;

/**
 * The target, spoken to in bare HTTP: much of what is tested, no well-behaved client would ever send. A connection for
 * each request, so that no answer depends on how long the target keeps idle ones.
 */
export class Peer {
  readonly #o: PeerOptions;
  readonly #socketPath: string | undefined;

  constructor(options: PeerOptions) {
    this.#o = options;
    const { endpoint } = options;
    this.#socketPath = endpoint.startsWith('unix://') ? endpoint.slice('unix://'.length) : undefined;
  }

  get hasCredentials(): boolean {
    return this.#o.key !== undefined || this.#o.tls?.cert !== undefined;
  }

  /** The contract's own client, for what bare HTTP cannot say: streams. */
  client(leg: Leg): ContractClient {
    const { endpoint, key, tls } = this.#o;
    return new ContractClient({
      ...{ leg, peer: 'the target', endpoint },
      ...(key === undefined ? {} : { bearer: () => Promise.resolve(key) }),
      ...(tls === undefined ? {} : { tls }),
    });
  }

  async send(request: PeerRequest): Promise<Answer> {
    const response = await this.open(request);
    return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
  }

  /** The answer as soon as its headers are there. */
  async open(request: PeerRequest): Promise<IncomingMessage> {
    const call = this.#begin(request);
    const answered = answerTo(call);
    call.end(request.body);
    return answered;
  }

  /** Announces `announced` bytes of body, sends the given ones and hangs up. */
  async cutInBody(request: PeerRequest, announced: number): Promise<void> {
    const headers = { ...request.headers, 'Content-Length': String(announced) };
    const call = this.#begin({ ...request, headers });
    // The target may hang up first; that too is an end.
    const closed = once(call, 'close').catch(() => undefined);
    await new Promise<void>((resolve) => {
      call.once('error', () => resolve());
      call.write(request.body ?? '', () => resolve());
    });
    call.destroy();
    await closed;
  }

  /** Sends a body of `bytes` until the target answers, which it may do before it has read all. */
  async flood(request: PeerRequest, bytes: number): Promise<Answer> {
    const headers = { ...request.headers, 'Content-Length': String(bytes) };
    const call = this.#begin({ ...request, headers });
    const answered = answerTo(call);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let left = bytes;
    const pump = () => {
      while (left > 0 && !call.destroyed) {
        const part = chunk.subarray(0, Math.min(left, chunk.length));
        left -= part.length;
        if (!call.write(part)) return;
      }
      if (!call.destroyed) call.end();
    };
    call.on('drain', pump);
    pump();
    try {
      const response = await answered;
      left = 0;
      return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
    } finally {
      call.destroy();
    }
  }

  #begin({ method, path, headers = {}, body, signal, withCredentials = true }: PeerRequest): ClientRequest {
    const { endpoint, key, tls } = this.#o;
    const isTls = endpoint.startsWith('https:');
    // Node leaves the body of a GET away unless its length is announced.
    const announces = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
    const options = {
      method,
      signal,
      agent: false as const,
      headers: {
        ...(body === undefined || announces ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        ...(key === undefined || !withCredentials ? {} : { Authorization: `Bearer ${key}` }),
        ...headers,
      },
    };
    if (this.#socketPath !== undefined) return httpRequest({ ...options, path, socketPath: this.#socketPath });
    const url = new URL(path, endpoint);
    if (!isTls) return httpRequest(url, options);
    return httpsRequest(url, { ...options, minVersion: 'TLSv1.2', ...(withCredentials ? tls : { ca: tls?.ca }) });
  }
}

/** The promise is taken up at once by whoever writes the body next: an early refusal must not go unheard. */
function answerTo(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve);
    // Kept: after an early answer the rest of the body meets a closed connection.
    call.on('error', reject);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > maxAnswerBytes) throw new Failure(`an answer of more than ${maxAnswerBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
