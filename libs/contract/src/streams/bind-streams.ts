import type { Duplex } from 'node:stream';
import type { Request, Response, Router } from 'express';
import { WebSocketServer, type WebSocket } from 'ws';
import { InterlinkError } from '../errors.ts';
import type { CallContext } from '../express.ts';
import { routes } from '../routes.ts';
import type { CommandStreams } from './command-streams.ts';
import { maxMessageBytes } from './frames.ts';
import { joinSockets } from './join-sockets.ts';
import { serveCommand, type StreamService } from './serve-command.ts';
import { serveForward } from './serve-forward.ts';
import {
  parseStreamQuery,
  streamProtocols,
  streamQuery,
  type AttachRequest,
  type ExecRequest,
  type PortForwardRequest,
  type StreamRoute,
} from './stream-requests.ts';
import { streamRouteNames, takeHandshake, type Handshake, type UpgradedSocket } from './upgrade.ts';

/** The streams of a site. What throws is an ordinary error answer: nothing has been upgraded yet. */
export interface StreamHandlers {
  exec(request: ExecRequest, call: CallContext): Promise<CommandStreams>;
  attach(request: AttachRequest, call: CallContext): Promise<CommandStreams>;
  /** A connection to a port of the pod, half-open where its ends are. */
  portForward(request: PortForwardRequest, call: CallContext): Promise<Duplex>;
}

/** The streams of a server that hands them on. */
export interface StreamRelay {
  /** The other server's side of a WebSocket, with the answer to the caller's key behind it. */
  openStream(route: StreamRoute, query: string, key: string, call: CallContext): Promise<UpgradedSocket>;
}

type ContextOf = (request: Request, response: Response) => CallContext;

export function bindStreams(router: Router, handlers: StreamHandlers, call: ContextOf, service: StreamService): void {
  const command = (
    route: 'exec' | 'attach',
    open: (url: string, context: CallContext) => Promise<CommandStreams>,
  ): void => {
    router.get(routes[route].path, async (request, response) => {
      const handshake = takeHandshake(request, route);
      const streams = await open(request.url, call(request, response));
      const socket = accept(route, request, response, handshake);
      if (socket === undefined) streams.close();
      else await serveCommand(socket, streams, service);
    });
  };
  command('exec', (url, context) => handlers.exec(parseStreamQuery('exec', url), context));
  command('attach', (url, context) => handlers.attach(parseStreamQuery('attach', url), context));
  router.get(routes.portForward.path, async (request, response) => {
    const handshake = takeHandshake(request, 'portForward');
    const wanted = parseStreamQuery('portForward', request.url);
    const connection = await handlers.portForward(wanted, call(request, response));
    const socket = accept('portForward', request, response, handshake);
    if (socket === undefined) connection.destroy();
    else serveForward(socket, connection, service);
  });
}

export function bindStreamRelay(router: Router, relay: StreamRelay, call: ContextOf, service: StreamService): void {
  for (const route of streamRouteNames()) {
    router.get(routes[route].path, async (request, response) => {
      const handshake = takeHandshake(request, route);
      const query = streamQuery(parseStreamQuery(route, request.url));
      const peer = await relay.openStream(route, query, handshake.key, call(request, response));
      response.statusCode = 101;
      joinSockets(handshake, peer, streamProtocols[route], service.stopping);
    });
  }
}

/** @returns undefined when the caller has hung up. */
function accept(
  route: StreamRoute,
  request: Request,
  response: Response,
  { socket, head }: Handshake,
): WebSocket | undefined {
  if (!socket.readable || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    // The handshake has been looked at: this is among what was offered.
    handleProtocols: () => streamProtocols[route],
  });
  let accepted: WebSocket | undefined;
  response.statusCode = 101;
  socket.setKeepAlive(true, 30_000);
  sockets.handleUpgrade(request, socket, head, (websocket) => (accepted = websocket));
  if (accepted === undefined) throw new InterlinkError('Internal', 'a handshake that was looked at has been refused');
  return accepted;
}
