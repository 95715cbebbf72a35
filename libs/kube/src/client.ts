import type { Readable } from 'node:stream';
import { z } from 'zod';
import { parseJson } from './answer-errors.ts';
import { type Access, Credentials } from './credentials.ts';
import { KubeError } from './errors.ts';
import type { KubeconfigChoice } from './kubeconfig.ts';
import { type Query, Transport, type TransportOptions } from './transport.ts';
import { readWatchLines, type WatchEvent } from './watch-lines.ts';

export interface KubeClientOptions extends KubeconfigChoice, TransportOptions {}

interface Call {
  /** Path below the server's URL, e.g. `/api/v1/nodes/a`. */
  path: string;
  query?: Query | undefined;
  signal?: AbortSignal | undefined;
  /** Deadline in milliseconds: of the whole request, or of a stream until it begins. Default 30 s. */
  timeoutMs?: number | undefined;
}

interface TypedCall<T> extends Call {
  /** What the answer must look like. Use loose objects: what the schema does not name should pass untouched. */
  schema: z.ZodType<T>;
}

export interface KubeRequest<T> extends TypedCall<T> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  contentType?: string | undefined;
  /** Past the bounded pool: for leases, which must not wait behind thousands of other requests. */
  urgent?: boolean | undefined;
}

export interface WriteCall<T> extends TypedCall<T> {
  body: unknown;
}

export interface PatchCall<T> extends WriteCall<T> {
  type: keyof typeof patchTypes;
}

export interface DeleteCall extends Call {
  /** Delete only the object of this UID. */
  uid?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

export interface WatchCall extends Omit<Call, 'timeoutMs'> {
  /** Milliseconds without a byte after which the watch ends. Bookmarks of a quiet resource come every one or two minutes. Default 200 s. */
  silenceMs?: number | undefined;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const defaultTimeoutMs = 30_000;
const defaultSilenceMs = 200_000;
const maxLineBytes = 16 * 1024 * 1024;

/** One API server as raw JSON, authenticated as a kubeconfig says. Every method throws KubeError. */
export class KubeClient {
  readonly #credentials: Credentials;
  readonly #transport: Transport;

  constructor(credentials: Credentials, options: TransportOptions = {}) {
    this.#credentials = credentials;
    this.#transport = new Transport(credentials, options);
  }

  /** @throws KubeconfigError naming the file that cannot be used */
  static load(options: KubeClientOptions = {}): KubeClient {
    return new KubeClient(new Credentials(options), options);
  }

  /** Base URL of the API server. */
  get server(): string {
    return this.#credentials.server;
  }

  /** The default namespace of the kubeconfig's context, or that of our pod. */
  get namespace(): string | undefined {
    return this.#credentials.namespace;
  }

  /** For what is neither a request nor a stream (WebSockets): URL, headers and TLS agents. Secret. */
  access(): Promise<Access> {
    return this.#credentials.current();
  }

  async request<T>({
    method,
    schema,
    urgent = false,
    timeoutMs = defaultTimeoutMs,
    ...rest
  }: KubeRequest<T>): Promise<T> {
    const { status, text } = await this.#transport.text({ ...rest, verb: method, timeoutMs, direct: urgent });
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new KubeError(`${method} ${rest.path}: unexpected answer: ${z.prettifyError(parsed.error).slice(0, 500)}`, {
      status,
      reason: 'Unparsable',
    });
  }

  get<T>(call: TypedCall<T>): Promise<T> {
    return this.request({ ...call, method: 'GET' });
  }

  create<T>(call: WriteCall<T>): Promise<T> {
    return this.request({ ...call, method: 'POST' });
  }

  replace<T>(call: WriteCall<T>): Promise<T> {
    return this.request({ ...call, method: 'PUT' });
  }

  patch<T>({ type, ...call }: PatchCall<T>): Promise<T> {
    return this.request({ ...call, method: 'PATCH', contentType: patchTypes[type] });
  }

  /** `isNotFound` when there is nothing to delete, `isConflict` when the UID is another's. */
  async delete({ uid, gracePeriodSeconds, propagationPolicy, ...call }: DeleteCall): Promise<void> {
    const preconditions = uid === undefined ? undefined : { uid };
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, gracePeriodSeconds, propagationPolicy };
    await this.request({ ...call, method: 'DELETE', body, schema: z.unknown() });
  }

  /** The answer as it comes, e.g. a log. Destroy the stream or abort the signal to hang up. */
  stream({ timeoutMs = defaultTimeoutMs, ...call }: Call): Promise<Readable> {
    return this.#transport.stream({ ...call, verb: 'STREAM', timeoutMs, direct: true });
  }

  /**
   * Events of one watch, bookmarks included, until the server ends it (after 5 to 10 minutes), it is silent for
   * `silenceMs`, or the signal aborts. `isGone` is thrown when the resourceVersion is too old.
   */
  async *watch({ path, query, signal, silenceMs = defaultSilenceMs }: WatchCall): AsyncGenerator<WatchEvent, void> {
    // Jittered, so that the watches of many clients do not all end together.
    const timeoutSeconds = 300 + Math.floor(Math.random() * 300);
    const body = await this.#transport.stream({
      verb: 'WATCH',
      path,
      query: { watch: true, allowWatchBookmarks: true, timeoutSeconds, ...query },
      signal,
      timeoutMs: defaultTimeoutMs,
      direct: true,
    });
    try {
      yield* readWatchLines(`WATCH ${path}`, body, { silenceMs, maxLineBytes });
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }
}
