import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { HttpGet } from './settings.ts';

/** Opens a connection from within the pod's network. */
export type Dial = (host: string, port: number) => Promise<Duplex>;

const maxRedirects = 10;
const maxBody = 10 * 1024;

export interface HttpTarget {
  readonly action: HttpGet;
  /** Where the action names no host: the pod's address. */
  readonly host: string;
  readonly port: number;
  /** `probe` or `lifecycle` */
  readonly purpose: string;
}

/**
 * One GET as the kubelet makes it: no certificate is verified, redirects are followed within the same host, and a
 * redirect elsewhere is an answer. @returns the status code
 */
export async function httpGet(
  { action, host, port, purpose }: HttpTarget,
  dial: Dial,
  signal: AbortSignal,
): Promise<number> {
  const first = addressOf(action, action.host || host, port);
  const headers = headersOf(action, purpose);
  let address = first;
  for (let redirects = 0; ; redirects++) {
    const { status, location } = await get(address, headers, dial, signal);
    if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return status;
    const target = URL.canParse(location, address.href) ? new URL(location, address.href) : undefined;
    if (target === undefined || target.hostname !== first.hostname) return status;
    if (redirects + 1 >= maxRedirects) throw new Error(`stopped after ${maxRedirects} redirects`);
    address = target;
  }
}

/** 2xx and 3xx. */
export function isHealthy(status: number): boolean {
  return status >= 200 && status < 400;
}

function addressOf(action: HttpGet, host: string, port: number): URL {
  const scheme = action.scheme?.toLowerCase() === 'https' ? 'https' : 'http';
  const path = action.path ?? '';
  const authority = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new URL(`${authority}${path.startsWith('/') ? '' : '/'}${path}`);
}

function headersOf({ httpHeaders }: HttpGet, purpose: string): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const { name, value } of httpHeaders ?? []) (headers[name.toLowerCase()] ??= []).push(value);
  headers['user-agent'] ??= [`kube-${purpose}/1.37`];
  headers['accept'] ??= ['*/*'];
  if (headers['accept'].join('') === '') delete headers['accept'];
  return { ...headers, connection: ['close'] };
}

async function get(
  address: URL,
  headers: Record<string, string[]>,
  dial: Dial,
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined }> {
  const port = Number(address.port) || (address.protocol === 'https:' ? 443 : 80);
  const plain = await dial(address.hostname.replace(/^\[|\]$/g, ''), port);
  const socket = address.protocol === 'https:' ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        path: `${address.pathname}${address.search}`,
        headers: { host: address.host, ...headers },
        signal,
      };
      socket.once('error', reject);
      request({ ...options, createConnection: () => socket }, resolve)
        .on('error', reject)
        .end();
    });
    await drain(response);
    return { status: response.statusCode ?? 0, location: response.headers.location };
  } finally {
    socket.destroy();
    plain.destroy();
  }
}

/** Read like a real client's, so that the server sees no hang-up, but no more than the kubelet does. */
async function drain(response: IncomingMessage): Promise<void> {
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBody) return;
  }
}
