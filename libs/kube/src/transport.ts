import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errorOfAnswer, errorOfTransport } from './answer-errors.ts';
import type { Access, Credentials } from './credentials.ts';
import { KubeError } from './errors.ts';
import { RequestSignal } from './request-signal.ts';
import { resourceOfPath } from './resource-of-path.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface HttpRequest {
  /** HTTP method, or for a GET that streams what metrics call it. */
  verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WATCH' | 'STREAM';
  path: string;
  query?: Query | undefined;
  body?: unknown;
  contentType?: string | undefined;
  signal?: AbortSignal | undefined;
  timeoutMs: number;
  /** Past the bounded pool. */
  direct: boolean;
}

/** For metrics: called once for every request, when its answer (of a stream: its head) has arrived or failed. */
export type RequestObserver = (request: { method: string; resource: string; status: number; seconds: number }) => void;

export interface TransportOptions {
  /** Up to the first slash it is also the field manager of what we write. */
  userAgent?: string | undefined;
  onRequest?: RequestObserver | undefined;
}

const maxErrorBytes = 64 * 1024;

/** HTTP to the API server: credentials, connections, deadlines; a failure of any kind is a KubeError. */
export class Transport {
  readonly #credentials: Credentials;
  readonly #userAgent: string;
  readonly #onRequest: RequestObserver;

  constructor(credentials: Credentials, { userAgent = 'interlink', onRequest = () => undefined }: TransportOptions) {
    this.#credentials = credentials;
    this.#onRequest = onRequest;
    this.#userAgent = userAgent;
  }

  /** The whole answer of a success. */
  async text(request: HttpRequest): Promise<{ status: number; text: string }> {
    const deadline = new RequestSignal(request.timeoutMs, request.signal);
    try {
      return await this.#observed(request, deadline, async () => {
        const { statusCode: status, body, headers } = await this.#authenticated(request, deadline.signal);
        const text = await body.text();
        if (status >= 300) throw errorOfAnswer(nameOf(request), status, text, retryAfter(headers));
        return { status, text };
      });
    } finally {
      deadline.dispose();
    }
  }

  /** The answer as it comes. The deadline holds until its head has arrived. */
  async stream(request: HttpRequest): Promise<Readable> {
    const deadline = new RequestSignal(request.timeoutMs, request.signal);
    try {
      const stream = await this.#observed(request, deadline, async () => {
        const { statusCode, body, headers } = await this.#authenticated(request, deadline.signal);
        if (statusCode < 300) return body;
        throw errorOfAnswer(nameOf(request), statusCode, await readBounded(body), retryAfter(headers));
      });
      deadline.lift();
      stream.once('close', () => deadline.dispose());
      return stream;
    } catch (error) {
      deadline.dispose();
      throw error;
    }
  }

  async #observed<T extends Readable | { status: number }>(
    request: HttpRequest,
    deadline: RequestSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    let status = 0;
    try {
      const answer = await work();
      status = 'status' in answer ? answer.status : 200;
      return answer;
    } catch (thrown) {
      const error = this.#sorted(request, deadline, thrown);
      status = error.status;
      throw error;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#onRequest({ method: request.verb, resource: resourceOfPath(request.path), status, seconds });
    }
  }

  #sorted(request: HttpRequest, deadline: RequestSignal, thrown: unknown): KubeError {
    if (thrown instanceof KubeError) return thrown;
    const what = nameOf(request);
    if (deadline.expired) {
      return new KubeError(`${what}: no answer within ${request.timeoutMs / 1000} s`, { status: 0, reason: 'Timeout' });
    }
    if (request.signal?.aborted) return new KubeError(`${what}: aborted`, { status: 0, reason: 'Aborted' });
    return errorOfTransport(what, thrown);
  }

  async #authenticated(request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const access = await this.#credentials.current();
    const answer = await this.#once(request, access, signal);
    if (answer.statusCode !== 401 || !this.#credentials.reload(access)) return answer;
    await answer.body.dump();
    return this.#once(request, await this.#credentials.current(), signal);
  }

  #once(request: HttpRequest, access: Access, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, basePath, headers, pool, direct } = access;
    const hasBody = request.body !== undefined;
    return (request.direct ? direct : pool).request({
      origin,
      path: basePath + request.path + queryString(request.query),
      method: request.verb === 'WATCH' || request.verb === 'STREAM' ? 'GET' : request.verb,
      headers: {
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...headers,
        ...(hasBody ? { 'content-type': request.contentType ?? 'application/json' } : {}),
      },
      body: hasBody ? JSON.stringify(request.body) : null,
      signal,
    });
  }
}

const nameOf = (request: HttpRequest): string => `${request.verb} ${request.path}`;

function retryAfter(headers: Dispatcher.ResponseData['headers']): string | undefined {
  const value: unknown = headers['retry-after'];
  return typeof value === 'string' ? value : undefined;
}

function queryString(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  return params.size > 0 ? `?${params.toString()}` : '';
}

/** The text of an error answer; what is too long of it is cut off. */
async function readBounded(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes);
    size += bytes.length;
    if (size > maxErrorBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
