import type { Duplex, Readable } from 'node:stream';
import { z } from 'zod';
import { ClientTransport, type ClientCall, type ClientOptions } from './client-transport.ts';
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
import { parseJson } from './first-bytes.ts';
import { readEvents } from './ndjson.ts';
import type { PodRef } from './pod.ts';
import { routes, type Leg, type RouteName } from './routes.ts';
import { commandOver } from './streams/command-socket.ts';
import type { CommandStreams } from './streams/command-streams.ts';
import { dialRaw, dialWebSocket } from './streams/dial-stream.ts';
import { ForwardSocket } from './streams/forward-socket.ts';
import { onAbort } from './streams/hang-up.ts';
import { siteStatsSchema, type SiteStats } from './streams/site-stats.ts';
import {
  streamQuery,
  type AttachRequest,
  type ExecRequest,
  type PortForwardRequest,
  type StreamRoute,
} from './streams/stream-requests.ts';
import type { UpgradedSocket } from './streams/upgrade.ts';

/** Typed client of the contract. Every failure is an InterlinkError; an unreachable peer is `Unavailable`. */
export class ContractClient {
  readonly #leg: Leg;
  readonly #peer: string;
  readonly #transport: ClientTransport;

  constructor(options: ClientOptions) {
    this.#leg = options.leg;
    this.#peer = options.peer;
    this.#transport = new ClientTransport(options);
  }

  async create(body: CreateRequest | RetrievedPod, call: ClientCall): Promise<CreateReply> {
    return this.#json('create', createReplySchema, body, call);
  }

  async delete(pod: PodRef, call: ClientCall): Promise<void> {
    await this.#transport.text('delete', pod, call);
  }

  /** One request whatever the number of pods. A classic plugin needs them whole, ours their identity alone. */
  async status(pods: readonly PodRef[], call: ClientCall): Promise<PodStatus[]> {
    if (pods.length === 0) return [];
    return (await this.#json('status', z.array(podStatusSchema).nullable(), pods, call)) ?? [];
  }

  async ping(call: ClientCall): Promise<PingReply> {
    const text = await (this.#leg === 'api'
      ? this.#transport.text('ping', undefined, call)
      : this.#transport.text('status', [], call));
    // A classic plugin may answer anything at all: any 200 means that it is alive.
    const reply = pingReplySchema.safeParse(parseJson(text));
    return reply.success ? reply.data : { status: 'ok' };
  }

  async capabilities(call: ClientCall): Promise<Capabilities> {
    return this.#json('capabilities', capabilitiesSchema, undefined, call);
  }

  async update(body: UpdateRequest, call: ClientCall): Promise<void> {
    await this.#transport.text('update', body, call);
  }

  /** The log as a byte stream; ends when the caller's signal aborts or the container's log ends. */
  async logs(body: LogRequest, call: ClientCall): Promise<Readable> {
    return this.#transport.stream('logs', {}, body, call);
  }

  /**
   * Events from `cursor` on. Ends by throwing: Unavailable when the peer goes away or is silent for too long, NotFound
   * at a classic plugin. Connecting again, with back-off, is the caller's business.
   */
  async *events(cursor: string | undefined, call: ClientCall): AsyncGenerator<SiteEvent, never> {
    const params = cursor === undefined ? {} : { cursor };
    const stream = await this.#transport.stream('events', { params }, undefined, call);
    yield* readEvents(stream, this.#peer);
    throw new InterlinkError('Unavailable', `${this.#peer} ended its event stream`);
  }

  async stats(call: ClientCall): Promise<SiteStats> {
    return this.#json('stats', siteStatsSchema, undefined, call);
  }

  /** Runs a command in a running container. It is hung up when the caller's signal aborts. */
  async exec(request: ExecRequest, call: ClientCall): Promise<CommandStreams> {
    return this.#command('exec', request, call);
  }

  /** Joins a running container's own streams; hanging up leaves it running. */
  async attach(request: AttachRequest, call: ClientCall): Promise<CommandStreams> {
    return this.#command('attach', request, call);
  }

  /** A connection to a port of a running pod. Each direction ends by itself; an error tells why it was lost. */
  async portForward(request: PortForwardRequest, call: ClientCall): Promise<Duplex> {
    return this.#transport.dial('portForward', streamQuery(request), call, async (dial) => {
      const connection = await dialWebSocket(dial, (socket) => new ForwardSocket(socket, this.#peer));
      onAbort(call.signal, connection, () => connection.destroy());
      return connection;
    });
  }

  /** For a relay: the peer's side of a stream, whose handshake answers this key. */
  async openStream(route: StreamRoute, query: string, key: string, call: ClientCall): Promise<UpgradedSocket> {
    return this.#transport.dial(route, query, call, (dial) => dialRaw(dial, key));
  }

  async #command(route: 'exec' | 'attach', request: AttachRequest, call: ClientCall): Promise<CommandStreams> {
    return this.#transport.dial(route, streamQuery(request), call, (dial) =>
      dialWebSocket(dial, (socket) => {
        const command = commandOver(socket, request, this.#peer);
        onAbort(call.signal, socket, command.close);
        return command;
      }),
    );
  }

  async #json<T>(route: RouteName, schema: z.ZodType<T>, body: unknown, call: ClientCall): Promise<T> {
    const parsed = schema.safeParse(parseJson(await this.#transport.text(route, body, call)));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue?.path.map(String).join('.') || 'body';
    throw new InterlinkError(
      'Unavailable',
      `${this.#peer} answered ${routes[route].path} with something else than the contract says: ${where}: ${issue?.message ?? ''}`,
    );
  }
}
