import type { Readable } from 'node:stream';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
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

const maxAnswerBytes = 256 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** HTTP to the API server: credentials, connections, deadlines; a failure of any kind is a KubeError. */
export class Transport {
  readonly #credentials: Credentials;
  readonly #http: AxiosInstance;
  readonly #onRequest: RequestObserver;

  constructor(credentials: Credentials, { userAgent = 'interlink', onRequest = () => undefined }: TransportOptions) {
    this.#credentials = credentials;
    this.#onRequest = onRequest;
    this.#http = axios.create({
      adapter: 'http',
      proxy: false,
      maxRedirects: 0,
      maxContentLength: maxAnswerBytes,
      headers: { Accept: 'application/json', 'User-Agent': userAgent },
      validateStatus: () => true,
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
    });
  }

  /** The whole answer of a success. */
  async text(request: HttpRequest): Promise<{ status: number; text: string }> {
    const deadline = new RequestSignal(request.timeoutMs, request.signal);
    try {
      return await this.#observed(request, deadline, async () => {
        const { status, data, headers } = await this.#authenticated<string>(request, deadline.signal, 'text');
        if (status >= 300) throw errorOfAnswer(nameOf(request), status, data, retryAfter(headers));
        return { status, text: data };
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
        const { status, data, headers } = await this.#authenticated<Readable>(request, deadline.signal, 'stream');
        if (status < 300) return data;
        throw errorOfAnswer(nameOf(request), status, await readBounded(data), retryAfter(headers));
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

  async #authenticated<D>(
    request: HttpRequest,
    signal: AbortSignal,
    responseType: 'text' | 'stream',
  ): Promise<AxiosResponse<D>> {
    const access = await this.#credentials.current();
    const answer = await this.#once<D>(request, access, signal, responseType);
    if (answer.status !== 401 || !this.#credentials.reload(access)) return answer;
    if (responseType === 'stream') await readBounded(answer.data as Readable);
    return this.#once<D>(request, await this.#credentials.current(), signal, responseType);
  }

  #once<D>(
    request: HttpRequest,
    { server, headers, pool, direct }: Access,
    signal: AbortSignal,
    responseType: 'text' | 'stream',
  ): Promise<AxiosResponse<D>> {
    const agent = request.direct ? direct : pool;
    const hasBody = request.body !== undefined;
    return this.#http.request<D>({
      method: request.verb === 'WATCH' || request.verb === 'STREAM' ? 'GET' : request.verb,
      url: server + request.path + queryString(request.query),
      headers: { ...headers, ...(hasBody ? { 'Content-Type': request.contentType ?? 'application/json' } : {}) },
      ...(hasBody ? { data: JSON.stringify(request.body) } : {}),
      responseType,
      signal,
      httpAgent: agent,
      httpsAgent: agent,
    });
  }
}

const nameOf = (request: HttpRequest): string => `${request.verb} ${request.path}`;

function retryAfter(headers: AxiosResponse['headers']): string | undefined {
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
