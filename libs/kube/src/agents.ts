import tls from 'node:tls';
import { Agent, type Dispatcher } from 'undici';

/** The connections to one API server. */
export interface Agents {
  /** Keep-alive pool for ordinary requests, bounded. */
  pool: Dispatcher;
  /** For watches, streams and leases: never waits behind the ordinary requests. */
  direct: Dispatcher;
}

/** Where a connection goes and what secures it; other material needs other agents. */
export interface TlsMaterial extends Pick<
  tls.ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
> {
  server: string;
}

const maxSockets = 64;
const maxAnswerBytes = 256 * 1024 * 1024;
const connectTimeoutMs = 10_000;
/** Shorter than the idle time after which servers and load balancers commonly hang up (60 s and more). */
const idleSocketMs = 30_000;

/** Throws what OpenSSL says of a bad certificate or key. */
export function createAgents({ server, ca, cert, key, servername, rejectUnauthorized }: TlsMaterial): Agents {
  const secured = {
    secureContext: tls.createSecureContext({ ca, cert, key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
  const common: Agent.Options = {
    connect: { timeout: connectTimeoutMs, ...(server.startsWith('https:') ? secured : {}) },
    // A log that is read slowly would use up the window that it shares with the watches.
    allowH2: false,
    keepAliveTimeout: idleSocketMs,
    // Every request has its own deadline, and a watch may be silent for long.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  return {
    pool: new Agent({ ...common, connections: maxSockets, maxResponseSize: maxAnswerBytes }),
    direct: new Agent(common),
  };
}
