import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InterlinkError } from '@interlink/contract';

/** Opens connections into one pod. */
export interface Forwarder {
  /** @throws InterlinkError that says why there is none */
  readonly open: (port: number, signal: AbortSignal) => Promise<Duplex>;
  /** For messages: `pod NAME, uid UID`. */
  readonly target: string;
}

/** The two streams that stand for one TCP connection of the client. */
export interface ForwardedStreams {
  readonly data: Duplex;
  readonly error: Duplex;
}

/** The port as text, if it is one. */
export function portOf(text: string | null | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * Carries one connection, each direction to its own end. The error stream ends empty unless there was no connection, or
 * the site or this server went away: a client gives up all its connections for one error text, and a pod that merely
 * resets one is not worth that. Never rejects.
 */
export async function forward(
  { data, error }: ForwardedStreams,
  port: number,
  { open, target }: Forwarder,
  signal: AbortSignal,
): Promise<void> {
  // The client says nothing there.
  error.resume();
  let site: Duplex | undefined;
  const hangUp = () => site?.destroy(stoppedBy(signal));
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    site = await open(port, signal);
    site.on('error', () => undefined);
    if (signal.aborted) hangUp();
    await Promise.all([pipeline(data, site), pipeline(site, data)]);
    error.end();
  } catch (thrown) {
    const known = signal.aborted ? stoppedBy(signal) : thrown;
    const isWorthIt = site === undefined || known instanceof InterlinkError;
    const { message } = InterlinkError.from(known);
    if (isWorthIt) error.end(`error forwarding port ${port} to ${target}: ${message}`);
    else error.end();
    data.destroy();
    site?.destroy();
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** The client's own going needs no words: nobody is left to read them. */
function stoppedBy({ reason }: AbortSignal): Error {
  return reason instanceof InterlinkError ? reason : new Error('the client has gone');
}
