import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client may take to read an answer and go. */
const lingerMs = 5_000;

/** Says yes to an upgrade; from here on the connection speaks something else than HTTP. */
export function switchProtocols(socket: Duplex, headers: Readonly<Record<string, string>>): void {
  socket.write(head(101, { Connection: 'Upgrade', ...headers }));
}

/** Says no to an upgrade, and closes. */
export function refuse(
  socket: Duplex,
  { status, text, headers }: { status: number; text: string; headers: Readonly<Record<string, string>> },
): void {
  const body = Buffer.from(text);
  const about = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    'X-Content-Type-Options': 'nosniff',
  };
  socket.end(Buffer.concat([Buffer.from(head(status, { Connection: 'close', ...headers, ...about })), body]));
  // What the client has sent already is read away: to close over it would reset the connection, and the answer with it.
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(linger));
}

function head(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`;
}
