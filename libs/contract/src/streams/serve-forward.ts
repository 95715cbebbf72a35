import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { InterlinkError } from '../errors.ts';
import { ForwardSocket } from './forward-socket.ts';
import { breakOff, goingAway, keepAlive, onAbort } from './hang-up.ts';
import type { StreamService } from './serve-command.ts';

/** Joins a connection to the WebSocket of whoever asked for it, until both directions have ended or one side is lost. */
export function serveForward(socket: WebSocket, connection: Duplex, service: StreamService): void {
  const caller = new ForwardSocket(socket, 'the caller');
  keepAlive(socket);
  const stop = () => {
    breakOff(socket, goingAway, `${service.name} is stopping`);
    connection.destroy();
  };
  onAbort(service.stopping, socket, stop);

  connection.on('error', (error) => caller.fail(InterlinkError.from(error, 'Unavailable')));
  // Its error is the loss of the caller, and nobody is left to hear of it.
  caller.on('error', () => undefined);
  connection.once('close', () => {
    // An end that both sides of the connection have seen: nothing that the caller still sends would arrive.
    if (connection.readableEnded) caller.end(() => caller.destroy());
    else if (!connection.errored) caller.destroy();
  });
  caller.once('close', () => connection.destroy());
  connection.pipe(caller);
  caller.pipe(connection);
}
