import type { Socket } from 'node:net';
import { onAbort } from './hang-up.ts';
import { acceptOf, type Handshake, type UpgradedSocket } from './upgrade.ts';

/**
 * Answers the caller's handshake and joins it to the peer's socket, byte for byte. Whoever reads slowly holds up the
 * other one, and nothing is kept in between.
 */
export function joinSockets(caller: Handshake, peer: UpgradedSocket, protocol: string, stopping: AbortSignal): void {
  const stop = () => {
    caller.socket.destroy();
    peer.socket.destroy();
  };
  if (stopping.aborted || caller.socket.destroyed) {
    stop();
    return;
  }
  onAbort(stopping, caller.socket, stop);

  const answer = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(caller.key)}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ];
  caller.socket.write(`${answer.join('\r\n')}\r\n\r\n`);
  follow(caller.socket, peer.socket);
  follow(peer.socket, caller.socket);
  // First what came with the handshake, then the rest.
  if (peer.head.length > 0) peer.socket.unshift(peer.head);
  if (caller.head.length > 0) caller.socket.unshift(caller.head);
  caller.socket.pipe(peer.socket);
  peer.socket.pipe(caller.socket);
}

/** The one goes when the other has gone, after what it still has to send. */
function follow(socket: Socket, other: Socket): void {
  socket.setNoDelay(true).setTimeout(0);
  // A peer that vanished without a word is noticed in the end.
  socket.setKeepAlive(true, 30_000);
  // Always followed by the close.
  socket.on('error', () => undefined);
  socket.once('close', () => other.destroySoon());
}
