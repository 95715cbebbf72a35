import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { InterlinkError } from '@interlink/contract';
import { accessFor, type AccessAttributes } from './access-attributes.ts';
import { userOf, type User } from './user.ts';

export interface AdmissionOptions {
  readonly nodeName: string;
  /** The verified certificate of the request's connection. */
  readonly clientCertificate: (request: IncomingMessage) => X509Certificate | undefined;
  /** Whose bearer token this is; undefined = nobody's. */
  readonly authenticateToken: (token: string, signal: AbortSignal) => Promise<User | undefined>;
  readonly authorize: (user: User, access: AccessAttributes, signal: AbortSignal) => Promise<{ allowed: boolean }>;
}

/** Decides about one request, before anything else looks at it. Upgrades pass it too. */
export type Admission = (request: IncomingMessage, signal: AbortSignal) => Promise<User>;

/** The kubelet's rule: known by certificate or token, then allowed by the cluster, whatever the path. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { nodeName, authorize } = options;
  return async (request, signal) => {
    const user = await authenticate(request, options, signal);
    if (user === undefined) throw new InterlinkError('Unauthenticated', 'Unauthorized');
    const anyOf = accessFor(request.method ?? '', pathOf(request), nodeName);
    for (const access of anyOf) {
      if ((await authorize(user, access, signal)).allowed) return user;
    }
    throw new InterlinkError('Denied', forbidden(user, anyOf));
  };
}

/** The path exactly as it was sent: to tidy it up could give it a meaning that the router does not see. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

async function authenticate(
  request: IncomingMessage,
  { clientCertificate, authenticateToken }: AdmissionOptions,
  signal: AbortSignal,
): Promise<User | undefined> {
  const certificate = clientCertificate(request);
  const known = certificate && userOf(certificate, Date.now());
  if (known !== undefined) return known;
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return token === undefined ? undefined : authenticateToken(token, signal);
}

function forbidden({ name }: User, anyOf: readonly AccessAttributes[]): string {
  const subresources = anyOf.map(({ subresource }) => subresource).join(' ');
  return `Forbidden (user=${name}, verb=${anyOf[0]?.verb ?? ''}, resource=nodes, subresource(s)=[${subresources}])\n`;
}
