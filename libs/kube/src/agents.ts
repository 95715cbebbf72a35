import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

/** The connections to one API server. */
export interface Agents {
  /** Keep-alive pool for ordinary requests, bounded. */
  pool: http.Agent;
  /** For watches, streams and leases: never waits behind the ordinary requests. */
  direct: http.Agent;
}

/** Where a connection goes and what secures it; other material needs other agents. */
export interface TlsMaterial extends Pick<
  https.RequestOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
> {
  server: string;
}

const maxSockets = 64;
const maxFreeDirectSockets = 8;
/** Shorter than the idle time after which servers and load balancers commonly hang up (60 s and more). */
const idleSocketMs = 30_000;

/** Throws what OpenSSL says of a bad certificate or key. */
export function createAgents(material: TlsMaterial): Agents {
  const create = agentFactory(material);
  return { pool: create({ maxSockets }), direct: create({ maxFreeSockets: maxFreeDirectSockets }) };
}

function agentFactory(material: TlsMaterial): (bound: http.AgentOptions) => http.Agent {
  const common = { keepAlive: true, keepAliveMsecs: 15_000, timeout: idleSocketMs };
  const { server, ca, cert, key, servername, rejectUnauthorized } = material;
  if (server.startsWith('http:')) return (bound) => new http.Agent({ ...common, ...bound });
  const secured: https.AgentOptions = {
    // Certificates given to an agent one by one become part of a name that it builds for every single request.
    secureContext: tls.createSecureContext({ ca, cert, key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
  return (bound) => new https.Agent({ ...common, ...secured, ...bound });
}
