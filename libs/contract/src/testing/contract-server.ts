import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import type { ClientOptions } from '../client-transport.ts';
import { ContractClient } from '../client.ts';
import type { CreateRequest, RetrievedPod } from '../core.ts';
import { InterlinkError } from '../errors.ts';
import { bindApi, bindSidecar, type CallContext, type ContractHandlers } from '../express.ts';
import { ownerHeader } from '../headers.ts';
import type { Leg } from '../routes.ts';
import type { StreamHandlers, StreamRelay } from '../streams/bind-streams.ts';
import { answerUpgrades, isStreamUpgrade } from '../streams/upgrade.ts';

export const bodyLimit = 4096;

export type Handlers = ContractHandlers<CreateRequest & RetrievedPod> & StreamHandlers & StreamRelay;

const absent = (what: string) => () => Promise.reject(new InterlinkError('NotFound', `no ${what} here`));

/** Answers everything, and keeps what it was asked. */
export class MemoryHandlers implements Handlers {
  readonly calls: { readonly name: string; readonly argument: unknown; readonly call: CallContext }[] = [];

  create: Handlers['create'] = async (request, call) => {
    this.#note('create', request, call);
    return { PodUID: request.pod.metadata.uid, PodJID: '1234' };
  };
  delete: Handlers['delete'] = async (pod, call) => this.#note('delete', pod, call);
  status: Handlers['status'] = async (pods, call) => {
    this.#note('status', pods, call);
    return pods.map(({ metadata: { name, namespace, uid } }) => ({ name, namespace, UID: uid, JID: '1234' }));
  };
  ping: Handlers['ping'] = async (call) => {
    this.#note('ping', undefined, call);
    return { status: 'ok', resources: { cpu: '64' } };
  };
  logs: Handlers['logs'] = absent('log');
  stats: Handlers['stats'] = absent('stats');
  exec: Handlers['exec'] = absent('exec');
  attach: Handlers['attach'] = absent('attach');
  portForward: Handlers['portForward'] = absent('port-forward');
  openStream: Handlers['openStream'] = absent('relay');
  capabilities: Handlers['capabilities'] = async (call) => {
    this.#note('capabilities', undefined, call);
    const features = { events: true, expandEnv: true, update: true };
    return { contract: '1', server: 'spec/1', site: 's', kind: 'memory', features };
  };
  // eslint-disable-next-line require-yield -- a stream that ends before its first line
  events: Handlers['events'] = async function* () {
    throw new InterlinkError('NotFound', 'no events here');
  };
  update: Handlers['update'] = async (request, call) => this.#note('update', request, call);

  #note(name: string, argument: unknown, call: CallContext): void {
    this.calls.push({ name, argument, call });
  }
}

/** As the services do it, in short: ours as it is, what express refuses by itself with its own status. */
const errorAnswer: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (response.headersSent) response.destroy();
  else if (error instanceof InterlinkError) response.status(error.status).json(error.toBody());
  else response.status(Number(Reflect.get(Object(error), 'status') ?? 500)).send('refused by the server');
};

/** A server of one leg on a unix socket. */
export class ContractServer {
  readonly handlers = new MemoryHandlers();
  readonly leg: Leg;
  readonly #folder = mkdtempSync(join(tmpdir(), 'il-'));
  readonly socket = join(this.#folder, 's');
  readonly #server: Server;
  /** Ends open streams, as a service does that stops. */
  readonly stopping = new AbortController();

  constructor(leg: Leg) {
    this.leg = leg;
    const app = express();
    const options = {
      bodyLimit,
      ownerOf: (request: express.Request) => request.get(ownerHeader) ?? 'classic',
      service: { name: leg, stopping: this.stopping.signal },
    };
    if (leg === 'api') bindApi(app, this.handlers, options);
    else bindSidecar(app, this.handlers, options);
    app.use(errorAnswer);
    this.#server = createServer({ shouldUpgradeCallback: isStreamUpgrade }, app);
    this.#server.on('upgrade', answerUpgrades(app));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.socket, resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true });
  }

  client(options: Partial<ClientOptions> = {}): ContractClient {
    return new ContractClient({ leg: this.leg, peer: this.leg, endpoint: `unix://${this.socket}`, ...options });
  }

  /** The answer as soon as its headers are there; for requests that our own client would never make. */
  open(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const request = httpRequest({ socketPath: this.socket, path, method, headers: { ...length, ...headers } });
      request.once('response', resolve).once('error', reject).end(body);
    });
  }

  async send(...args: Parameters<ContractServer['open']>): Promise<{ status: number; text: string }> {
    const response = await this.open(...args);
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, text };
  }
}
