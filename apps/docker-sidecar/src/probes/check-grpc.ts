import { connect, constants } from 'node:http2';
import type { Dial } from './check-http.ts';

const serving = 1;
const maxAnswer = 4096;

/** Asks the standard health service. @returns whether it says SERVING. */
export async function isServing(
  { host, port, service }: { host: string; port: number; service: string },
  dial: Dial,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = await dial(host, port);
  const authority = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const session = connect(authority, { createConnection: () => socket });
  try {
    return await new Promise<boolean>((resolve, reject) => {
      session.on('error', reject);
      const call = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        [constants.HTTP2_HEADER_USER_AGENT]: 'kube-probe/1.37',
      });
      let code: string | undefined;
      let body = Buffer.alloc(0);
      const note = (headers: Record<string, unknown>) => {
        const status = headers['grpc-status'];
        if (typeof status === 'string') code = status;
      };
      call.on('response', note);
      call.on('trailers', note);
      call.on('data', (chunk: Buffer) => (body = Buffer.concat([body, chunk]).subarray(0, maxAnswer)));
      call.on('error', reject);
      call.on('end', () => resolve(code === '0' && healthStatus(body) === serving));
      signal.addEventListener('abort', () => reject(new Error('the health check took too long')), { once: true });
      call.end(healthRequest(service));
    });
  } finally {
    session.destroy();
    socket.destroy();
  }
}

/** A gRPC message (flag, length, body) whose body is `HealthCheckRequest { string service = 1 }`. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** `HealthCheckResponse { ServingStatus status = 1 }`: 0 where there is none. */
export function healthStatus(message: Buffer): number | undefined {
  if (message.length < 5) return undefined;
  const body = message.subarray(5, 5 + message.readUInt32BE(1));
  if (body.length === 0) return 0;
  return body[0] === 0x08 ? body[1] : undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
