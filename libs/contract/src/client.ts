import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import axios, { isAxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { z } from 'zod';
import {
  createReplySchema,
  pingReplySchema,
  podStatusSchema,
  type CreateReply,
  type CreateRequest,
  type LogRequest,
  type PingReply,
  type PodStatus,
  type RetrievedPod,
} from './core.ts';
import { InterlinkError } from './errors.ts';
import { capabilitiesSchema, type Capabilities, type SiteEvent, type UpdateRequest } from './extensions.ts';
import { ownerHeader, sessionHeader, sessionOf } from './headers.ts';
import { readEvents } from './ndjson.ts';
import type { PodRef } from './pod.ts';
import { routes, type Leg, type RouteName } from './routes.ts';

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

/** Typed client of the contract. Every failure is an InterlinkError; an unreachable peer is `Unavailable`. */
export class ContractClient {
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

  async create(body: CreateRequest | RetrievedPod, call: ClientCall): Promise<CreateReply> {
    return this.#json('create', createReplySchema, body, call);
  }

  async delete(pod: PodRef, call: ClientCall): Promise<void> {
    await this.#text('delete', pod, call);
  }

  /** One request whatever the number of pods. A classic plugin needs them whole, ours their identity alone. */
  async status(pods: readonly PodRef[], call: ClientCall): Promise<PodStatus[]> {
    if (pods.length === 0) return [];
    return (await this.#json('status', z.array(podStatusSchema).nullable(), pods, call)) ?? [];
  }

  async ping(call: ClientCall): Promise<PingReply> {
    const text = await (this.#options.leg === 'api'
      ? this.#text('ping', undefined, call)
      : this.#text('status', [], call));
    // A classic plugin may answer anything at all: any 200 means that it is alive.
    const reply = pingReplySchema.safeParse(parseJson(text));
    return reply.success ? reply.data : { status: 'ok' };
  }

  async capabilities(call: ClientCall): Promise<Capabilities> {
    return this.#json('capabilities', capabilitiesSchema, undefined, call);
  }

  async update(body: UpdateRequest, call: ClientCall): Promise<void> {
    await this.#text('update', body, call);
  }

  /** The log as a byte stream; ends when the caller's signal aborts or the container's log ends. */
  async logs(body: LogRequest, call: ClientCall): Promise<Readable> {
    return this.#stream('logs', {}, body, call);
  }

  /**
   * Events from `cursor` on. Ends by throwing: Unavailable when the peer goes away or is silent for too long, NotFound
   * at a classic plugin. Connecting again, with back-off, is the caller's business.
   */
  async *events(cursor: string | undefined, call: ClientCall): AsyncGenerator<SiteEvent, never> {
    const params = cursor === undefined ? {} : { cursor };
    const stream = await this.#stream('events', { params }, undefined, call);
    yield* readEvents(stream, this.#options.peer);
    throw new InterlinkError('Unavailable', `${this.#options.peer} ended its event stream`);
  }

  async #json<T>(route: RouteName, schema: z.ZodType<T>, body: unknown, call: ClientCall): Promise<T> {
    const parsed = schema.safeParse(parseJson(await this.#text(route, body, call)));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue?.path.map(String).join('.') || 'body';
    throw new InterlinkError(
      'Unavailable',
      `${this.#options.peer} answered ${routes[route].path} with something else than the contract says: ${where}: ${issue?.message ?? ''}`,
    );
  }

  async #text(route: RouteName, body: unknown, call: ClientCall): Promise<string> {
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

  async #stream(route: RouteName, extra: AxiosRequestConfig, body: unknown, call: ClientCall): Promise<Readable> {
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
    const bearer = await this.#options.bearer?.();
    return {
      url: path,
      method: methods[this.#options.leg] ?? 'get',
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(call.session === undefined ? {} : { [sessionHeader]: call.session }),
        ...(call.owner === undefined ? {} : { [ownerHeader]: call.owner }),
        ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { data: JSON.stringify(body) }),
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

async function firstBytes(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > 4096) break;
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
