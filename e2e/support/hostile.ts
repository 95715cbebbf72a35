import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** Where bytes can be sent: a unix socket, a TCP port, or a TCP port that speaks TLS. */
export type Target = { readonly path: string } | { readonly port: number; readonly tls: boolean };

export async function open(target: Target): Promise<Socket> {
  const socket =
    'path' in target
      ? connect({ path: target.path })
      : target.tls
        ? connectTls({ host: '127.0.0.1', port: target.port, rejectUnauthorized: false })
        : connect({ host: '127.0.0.1', port: target.port });
  await once(socket, !('path' in target) && target.tls ? 'secureConnect' : 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** Sends bytes and returns the status line of the answer, `closed` where there is none, `silent` after `waitMs`. */
export async function send(target: Target, bytes: string | Buffer, waitMs = 15_000): Promise<string> {
  const socket = await open(target);
  try {
    const answer = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const line = /^(HTTP\/1\.1 \d{3})/.exec(text);
        if (line?.[1]) resolve(line[1]);
      });
      socket.once('close', () => resolve('closed'));
    });
    socket.write(bytes);
    return await Promise.race([answer, sleep(waitMs).then(() => 'silent')]);
  } finally {
    socket.destroy();
  }
}

export function post(path: string, body: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: 'x',
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Resident memory of a process, in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1024;
}

/** Open files of a process, sockets included. */
export async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
