import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerUpgrades, isStreamUpgrade } from '@interlink/contract';
import type { Logger } from 'pino';
import { arrivedAt } from './caller.ts';
import { parseEndpoint, type Endpoint } from './config-values.ts';
import { createGate } from './gate.ts';
import type { ListenerConfig } from './listen.ts';
import { StartError, startFailure } from './start-error.ts';
import { readTls, reloadTls } from './tls-files.ts';
import { clearSocketPath } from './unix-socket.ts';

export interface ServerConfig {
  readonly listen: readonly ListenerConfig[];
  /** An express app, or any request handler. */
  readonly app: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: Logger;
  /** Begins the stop. */
  readonly signal?: AbortSignal;
  /** How long a stop waits for requests in flight, in ms; default 15 s. */
  readonly drainMs?: number;
}

export interface RunningServer {
  /** Where it listens, in the form of the config; a port 0 has become the real one. */
  readonly addresses: readonly string[];
  /** Accepts nothing new, waits for what is in flight, cuts what is left at the bound. The same promise each time. */
  stop(): Promise<void>;
}

/** `requestTimeout` bounds the arrival of the request alone; an answer may stream for days. */
const limits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
  // The command of an exec is in the request line.
  maxHeaderSize: 64 * 1024,
  shouldUpgradeCallback: isStreamUpgrade,
};
const maxConnections = 4096;
const defaultDrainMs = 15_000;

/** Opens all listeners or none. @throws StartError that says which address and why. */
export async function startServer({ listen, app, log, signal, drainMs }: ServerConfig): Promise<RunningServer> {
  const started: Listener[] = [];
  const stopAll = async (boundMs: number) => {
    await Promise.all(started.map((listener) => listener.stop(boundMs)));
  };
  try {
    for (const config of listen) started.push(await startListener(config, app, log));
  } catch (thrown) {
    await stopAll(0);
    throw thrown;
  }
  const addresses = started.map(({ address }) => address);
  log.info({ addresses }, 'listening');

  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopAll(drainMs ?? defaultDrainMs));
  const onAbort = () => {
    stop().catch((err: unknown) => log.error({ err }, 'stop failed'));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return { addresses, stop };
}

interface Listener {
  readonly address: string;
  stop(boundMs: number): Promise<void>;
}

async function startListener(config: ListenerConfig, app: ServerConfig['app'], log: Logger): Promise<Listener> {
  const where = parseEndpoint(config.address);
  if (where === undefined) throw new StartError(`${config.address} is not an address to listen on`);
  const gate = await createGate(config, log);
  const busy = new WeakSet<Duplex>();
  let draining = false;

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    busy.add(socket);
    response.once('close', () => {
      busy.delete(socket);
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
    arrivedAt(request, gate);
    app(request, response);
  };
  const { server, close } = await createFor(config, onRequest, log);
  server.maxConnections = maxConnections;
  // Streams pass the same gate, routes and error answers as any request; they end by the service's own stop signal.
  server.on('upgrade', answerUpgrades(onRequest));
  server.on('clientError', (_error, socket) => refuse(socket, busy.has(socket)));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  await bind(server, where, config.address);
  return {
    address: addressOf(server, where, config.address),
    stop: async (boundMs) => {
      draining = true;
      close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const bound = setTimeout(() => {
        log.warn(
          { address: config.address, connections: sockets.size },
          'connections cut: still busy at the end of the drain',
        );
        for (const socket of sockets) socket.destroy();
      }, boundMs);
      await closed;
      clearTimeout(bound);
    },
  };
}

async function createFor(
  config: ListenerConfig,
  onRequest: ServerConfig['app'],
  log: Logger,
): Promise<{ server: Server; close: () => void }> {
  if (config.tls === undefined) return { server: createServer(limits, onRequest), close: () => undefined };
  const server = createTlsServer(
    {
      ...limits,
      ...(await readTls(config.tls)),
      handshakeTimeout: limits.headersTimeout,
      requestCert: config.tls.clientCaFile !== undefined,
      // The gate refuses, not the handshake: a health probe has no certificate, and a key may stand in for one.
      rejectUnauthorized: false,
    },
    onRequest,
  );
  return { server, close: reloadTls(server, config.tls, log) };
}

async function bind(server: Server, where: Endpoint, address: string): Promise<void> {
  if (where.scheme === 'unix') await clearSocketPath(where.path);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const done = () => {
        server.off('error', reject);
        resolve();
      };
      if (where.scheme !== 'unix') {
        server.listen({ host: where.host, port: where.port }, done);
        return;
      }
      // The file comes into being inside listen(): with its final mode, or others could connect before a chmod.
      const mask = process.umask(0o177);
      try {
        server.listen({ path: where.path }, done);
      } finally {
        process.umask(mask);
      }
    });
    if (where.scheme === 'unix') chmodSync(where.path, 0o600);
  } catch (cause) {
    throw new StartError(`cannot listen on ${address}: ${startFailure(cause)}`, cause);
  }
}

function addressOf(server: Server, where: Endpoint, configured: string): string {
  const actual: AddressInfo | string | null = server.address();
  if (where.scheme === 'unix' || actual === null || typeof actual === 'string') return configured;
  return `${where.scheme}://${where.host.includes(':') ? `[${where.host}]` : where.host}:${actual.port}`;
}

/** Something that is not HTTP. In the middle of an answer there is nothing left to say but to hang up. */
function refuse(socket: Duplex, busy: boolean): void {
  if (busy || !socket.writable) socket.destroy();
  else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
