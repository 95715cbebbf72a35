import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import axios, { isAxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { InterlinkError } from './errors.ts';
import { firstBytes } from './first-bytes.ts';
import { ownerHeader, sessionHeader, sessionOf } from './headers.ts';
import { routes, type Leg, type RouteName } from './routes.ts';
import type { StreamDial } from './streams/dial-stream.ts';
import type { StreamRoute } from './streams/stream-requests.ts';

export interface ClientOptions {
  readonly leg: Leg;
  /** For messages: `interlink-api`, `sidecar`. */
  readonly peer: string;
  /** unix:///path, http://host:port or https://host:port */
  readonly endpoint: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Read at each call, so that a rotated key needs no restart. */
  readonly bearer?: () => Promise<string>;
  /** Deadline of one call in ms; streams are bounded by their own rules instead. */
  readonly timeoutMs?: number;
  readonly observe?: (route: RouteName, outcome: string, seconds: number) => void;
}

export interface ClientCall {
  readonly owner?: string;
  readonly session?: string;
  readonly signal?: AbortSignal;
}

const defaultTimeoutMs = 60_000;
const maxReplyBytes = 256 * 1024 * 1024;

/** Requests to one peer: headers, deadlines, counting, and every failure sorted into an InterlinkError. */
export class ClientTransport {
  readonly #options: ClientOptions;
  readonly #http: AxiosInstance;

  constructor(options: ClientOptions) {
    this.#options = options;
    const agents = { keepAlive: true, maxSockets: 128, maxFreeSockets: 16 };
    const socketPath = options.endpoint.startsWith('unix://') ? options.endpoint.slice('unix://'.length) : undefined;
    this.#http = axios.create({
      baseURL: socketPath === undefined ? options.endpoint : 'http://unix',
      ...(socketPath === undefined ? {} : { socketPath }),
      httpAgent: new HttpAgent(agents),
      httpsAgent: new HttpsAgent({ ...agents, minVersion: 'TLSv1.2', ...options.tls }),
      proxy: false,
      maxRedirects: 0,
      maxContentLength: maxReplyBytes,
      maxBodyLength: Infinity,
      validateStatus: () => true,
    });
  }

  async text(route: RouteName, body: unknown, call: ClientCall): Promise<string> {
    return this.#observed(route, call, (session) =>
      this.#within(call, async (signal) => {
        const { status, data } = await this.#http.request<string>({
          ...(await this.#config(route, body, { ...call, session })),
          responseType: 'text',
          transformResponse: (text: string) => text,
          signal,
        });
        if (status !== 200) throw InterlinkError.fromResponse(status, data, this.#options.peer);
        return data;
      }),
    );
  }

  /** Its end is the caller's business. */
  async stream(route: RouteName, extra: AxiosRequestConfig, body: unknown, call: ClientCall): Promise<Readable> {
    return this.#observed(route, call, (session) =>
      this.#within(call, async (signal) => {
        const { status, data } = await this.#http.request<Readable>({
          ...(await this.#config(route, body, { ...call, session })),
          ...extra,
          responseType: 'stream',
          // Not Infinity: any limit has axios wrap the stream so that a hang-up waits for the peer's next byte.
          maxContentLength: -1,
          signal,
        });
        if (status === 200) return data;
        throw InterlinkError.fromResponse(status, await firstBytes(data), this.#options.peer);
      }),
    );
  }

  /** Opens a stream; the deadline is for its handshake alone. */
  async dial<T>(
    route: StreamRoute,
    query: string,
    call: ClientCall,
    open: (dial: StreamDial) => Promise<T>,
  ): Promise<T> {
    const { endpoint, peer, tls = {} } = this.#options;
    return this.#observed(route, call, (session) =>
      this.#within(call, async (signal) => {
        const headers = await this.#headers({ ...call, session });
        return open({ route, path: `${routes[route].path}?${query}`, endpoint, tls, headers, signal, peer });
      }),
    );
  }

  /** The signal ends with the caller's, and when the work is not done in time. A stream outlives the work, and with it the deadline. */
  async #within<T>(call: ClientCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const due = new AbortController();
    // Not AbortSignal.timeout: that fires for every call, long after it is done.
    const timer = setTimeout(() => due.abort(), this.#options.timeoutMs ?? defaultTimeoutMs);
    try {
      return await work(call.signal ? AbortSignal.any([call.signal, due.signal]) : due.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #config(route: RouteName, body: unknown, call: ClientCall): Promise<AxiosRequestConfig> {
    const { path } = routes[route];
    const methods: { readonly [leg in Leg]?: string } = routes[route].method;
    return {
      url: path,
      method: methods[this.#options.leg] ?? 'get',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(await this.#headers(call)),
      },
      ...(body === undefined ? {} : { data: JSON.stringify(body) }),
    };
  }

  async #headers(call: ClientCall): Promise<Record<string, string>> {
    const bearer = await this.#options.bearer?.();
    return {
      ...(call.session === undefined ? {} : { [sessionHeader]: call.session }),
      ...(call.owner === undefined ? {} : { [ownerHeader]: call.owner }),
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    };
  }

  async #observed<T>(route: RouteName, call: ClientCall, run: (session: string) => Promise<T>): Promise<T> {
    const start = performance.now();
    const session = call.session ?? sessionOf(undefined);
    let outcome = 'ok';
    try {
      return await run(session);
    } catch (thrown) {
      const error = this.#sort(thrown);
      error.session = session;
      outcome = error.code;
      throw error;
    } finally {
      this.#options.observe?.(route, outcome, (performance.now() - start) / 1000);
    }
  }

  #sort(thrown: unknown): InterlinkError {
    if (thrown instanceof InterlinkError) return thrown;
    // Never the axios error itself as text or cause: it carries the request, and with it the credentials.
    const why = isAxiosError(thrown) ? (thrown.code ?? thrown.message) : String(thrown);
    return new InterlinkError(
      'Unavailable',
      `${this.#options.peer} at ${this.#options.endpoint} does not answer (${why})`,
    );
  }
}
