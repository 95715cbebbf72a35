import { constants, type X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import { upgradeKind } from './streaming/upgrade.ts';

/** All PEM. Without `clientCa` no client certificate counts. */
export interface KubeletTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

export interface TlsListener {
  readonly server: Server;
  /** The certificate of a request's connection, if the client CA of today vouches for it. */
  readonly clientCertificate: (request: IncomingMessage) => X509Certificate | undefined;
  /** For connections from now on; those opened under another client CA are closed as they become idle. */
  readonly update: (tls: KubeletTls) => void;
  /** Accepts nothing new, waits for answers in flight, cuts what is left after `boundMs`. */
  readonly drain: (boundMs: number) => Promise<void>;
}

export interface TlsHandlers {
  readonly request: RequestListener;
  /** A request that wants to become something that we speak; its connection is the handler's from now on. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** `requestTimeout` bounds the arrival of the request alone; a log may be followed for days. */
const limits: ServerOptions = {
  headersTimeout: 10_000,
  handshakeTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // Longer than the 90 s after which a Go client closes its idle connections: it never sends into one just closed.
  keepAliveTimeout: 95_000,
  maxHeaderSize: 32 * 1024,
  // Any other upgrade is an offer that one may leave be.
  shouldUpgradeCallback: (request) => upgradeKind(request) !== undefined,
};
const maxConnections = 4096;

/** @throws Error of node:tls for a certificate and a key that do not fit */
export function createTlsListener(tls: KubeletTls, handlers: TlsHandlers): TlsListener {
  let clientCa = tls.clientCa;
  let draining = false;
  const openedUnder = new WeakMap<Socket, string | undefined>();
  const isStale = (socket: Socket) => openedUnder.get(socket) !== clientCa;

  const server = createServer({ ...limits, ...contextOf(tls), requestCert: true, rejectUnauthorized: false });
  server.maxConnections = maxConnections;
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('secureConnection', (socket) => openedUnder.set(socket, clientCa));
  server.on('request', (request, response) => {
    const { socket } = request;
    response.once('finish', () => {
      if (draining || isStale(socket)) socket.destroySoon();
    });
    handlers.request(request, response);
  });
  server.on('upgrade', handlers.upgrade);

  return {
    server,
    clientCertificate: ({ socket }) => {
      if (!(socket instanceof TLSSocket) || clientCa === undefined || isStale(socket)) return undefined;
      return socket.authorized ? socket.getPeerX509Certificate() : undefined;
    },
    update: (next) => {
      server.setSecureContext(contextOf(next));
      if (next.clientCa === clientCa) return;
      clientCa = next.clientCa;
      server.closeIdleConnections();
    },
    drain: async (boundMs) => {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const bound = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, boundMs);
      await closed;
      clearTimeout(bound);
    },
  };
}

function contextOf({ cert, key, clientCa }: KubeletTls): SecureContextOptions {
  return {
    cert,
    key,
    // Left out it would mean the public CAs of the web, and anybody can have a certificate of one of those.
    ca: clientCa ?? [],
    minVersion: 'TLSv1.2',
    // A resumed session would bring back the verdict of an earlier client CA.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
