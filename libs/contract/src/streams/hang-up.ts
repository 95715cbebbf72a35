import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';

/** RFC 6455: the server goes away. */
export const goingAway = 1001;

const closeBoundMs = 2_000;
const keepAliveMs = 30_000;

/** When all has been said. A peer that reads slowly is waited for: what it has not read yet is still on its way. */
export function closeWhenSaid(socket: WebSocket): void {
  // Held up by a reader that is gone, it would never see the peer's answer.
  socket.resume();
  socket.close(1000);
}

/** Breaks off, with a word to a peer that still listens. */
export function breakOff(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState === WebSocket.CLOSED) return;
  socket.resume();
  socket.close(code, reason);
  const bound = setTimeout(() => socket.terminate(), closeBoundMs);
  socket.once('close', () => clearTimeout(bound));
}

/**
 * A ping now and then: it fails where the peer has vanished, also while the socket is held up and would not see that,
 * and keeps alive what stands between.
 */
export function keepAlive(socket: WebSocket): void {
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, keepAliveMs);
  socket.once('close', () => clearInterval(timer));
}

/** Hangs up when the signal aborts, for as long as `open` is not closed. */
export function onAbort(signal: AbortSignal | undefined, open: EventEmitter, hangUp: () => void): void {
  if (signal === undefined) return;
  if (signal.aborted) hangUp();
  signal.addEventListener('abort', hangUp, { once: true });
  open.once('close', () => signal.removeEventListener('abort', hangUp));
}
