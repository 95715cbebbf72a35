import { isIP } from 'node:net';
import { classicOwner, parseOwner } from '@interlink/contract';
import { z } from 'zod';
import { absolutePath, endpoint } from './config-values.ts';

const owner = z.string().refine(isOwner, 'must be CLUSTER-UID/NODE-NAME');
const owners = z
  .array(z.string().refine((text) => text === '*' || isOwner(text), 'must be CLUSTER-UID/NODE-NAME, or "*" for any'))
  .min(1, 'name at least one owner, or "*" for any');
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a name of small letters, digits and -');

const keySchema = z.strictObject({ name, keyFile: absolutePath, owners, defaultOwner: owner.optional() });

const clientSchema = z.strictObject({
  name,
  san: z
    .string()
    .refine(
      isSan,
      'must be DNS:host, URI:uri or IP:address, as in the client certificate, or "*" for any that the CA has signed',
    ),
  owners,
  defaultOwner: owner.optional(),
});

const tlsSchema = z.strictObject({
  certFile: absolutePath,
  keyFile: absolutePath,
  /** Whose client certificates are accepted; `clients` says which of them may call. */
  clientCaFile: absolutePath.optional(),
});

const listenerSchema = z
  .strictObject({
    address: endpoint,
    /** unix only: who may open the socket file may call, for these owners. */
    owners: owners.optional(),
    defaultOwner: owner.optional(),
    keys: z.array(keySchema).optional(),
    tls: tlsSchema.optional(),
    clients: z.array(clientSchema).optional(),
  })
  .superRefine((listener, context) => {
    for (const { key, what } of mistakesOf(listener)) {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message: what });
    }
  });

/** Goes into a service's config as `listen: listenSchema`. What it lets pass never answers a stranger. */
export const listenSchema = z.array(listenerSchema).min(1, 'name at least one listener');

export type ListenerConfig = z.infer<typeof listenerSchema>;
export type TlsConfig = z.infer<typeof tlsSchema>;
export type KeyConfig = z.infer<typeof keySchema>;

interface Mistake {
  readonly key?: keyof ListenerConfig;
  readonly what: string;
}

function mistakesOf(listener: ListenerConfig): Mistake[] {
  const scheme = listener.address.slice(0, listener.address.indexOf(':'));
  const hasKeys = (listener.keys ?? []).length > 0;
  const hasClients = (listener.clients ?? []).length > 0;
  const stray = (keys: readonly (keyof ListenerConfig)[], why: string): Mistake[] =>
    keys.filter((key) => listener[key] !== undefined).map((key) => ({ key, what: why }));

  if (scheme === 'unix') {
    return stray(['keys', 'tls', 'clients'], 'has no meaning on a unix socket, whose file mode says who may call');
  }
  const mistakes = stray(
    ['owners', 'defaultOwner'],
    'belongs into each of keys and clients; here it is for unix sockets',
  );
  if (scheme === 'http') {
    mistakes.push(...stray(['tls', 'clients'], 'needs an https:// address'));
    if (!hasKeys) mistakes.push({ what: unprotected('add keys: [{name, keyFile, owners}]') });
    return mistakes;
  }
  if (listener.tls === undefined) mistakes.push({ what: 'https needs tls: {certFile, keyFile}' });
  if (hasClients && listener.tls?.clientCaFile === undefined) {
    mistakes.push({ key: 'clients', what: 'needs tls.clientCaFile, the CA that signs the client certificates' });
  }
  if (!hasKeys && !hasClients) {
    mistakes.push({
      what: unprotected('add keys: [{name, keyFile, owners}], or tls.clientCaFile with clients: [{name, san, owners}]'),
    });
  }
  return mistakes;
}

function unprotected(fix: string): string {
  return `a TCP listener without keys or client certificates would answer anybody, loopback included; ${fix}, or listen on unix:///path`;
}

function isOwner(text: string): boolean {
  try {
    return parseOwner(text) === text;
  } catch {
    return false;
  }
}

function isSan(text: string): boolean {
  if (text === '*') return true;
  const [, kind, value] = /^(DNS|URI|IP):(\S+)$/.exec(text) ?? [];
  return value !== undefined && (kind !== 'IP' || isIP(value) !== 0);
}

/** For which owners somebody may call, and for which one a call counts that states none. */
export interface Grant {
  readonly owners: readonly string[];
  readonly defaultOwner: string;
}

/**
 * Without a configured default, a caller that states no owner acts for the first that it is allowed: two callers with
 * different owners must not meet in a common default.
 */
export function grantOf(config: { owners?: readonly string[] | undefined; defaultOwner?: string | undefined }): Grant {
  const allowed = config.owners ?? ['*'];
  const [first = '*'] = allowed;
  return { owners: allowed, defaultOwner: config.defaultOwner ?? (first === '*' ? classicOwner : first) };
}
