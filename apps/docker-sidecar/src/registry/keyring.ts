import type { Secret } from '@interlink/contract';
import { z } from 'zod';

/** What the engine hands to a registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const entrySchema = z.looseObject({
  auth: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
});
const auths = z.record(z.string(), z.unknown());
const dockerConfigSchema = z.looseObject({ auths });
const hub = 'index.docker.io';

/**
 * The credentials that the Secrets have for a repository, the most specific first; as the kubelet, an entry is for a
 * host (`*` stands for a part of its name) and for all paths that begin with its own. A Secret that cannot be read
 * hides none of the others.
 */
export function credentialsFor(repository: string, secrets: readonly Secret[]): Credentials[] {
  const entries = secrets.flatMap(entriesOf);
  // Reverse order puts longer paths before their beginnings.
  const sorted = entries.toSorted((one, other) => (one.key < other.key ? 1 : one.key > other.key ? -1 : 0));
  const found = sorted.filter(({ key }) => matches(key, repository));
  if (found.length > 0) return found.map(({ credentials }) => credentials);
  if (!repository.startsWith('docker.io/')) return [];
  return sorted.filter(({ key }) => key === hub).map(({ credentials }) => credentials);
}

interface Entry {
  /** Host and path, without scheme, `/v1/` and `/v2/`. */
  readonly key: string;
  readonly credentials: Credentials;
}

function entriesOf(secret: Secret): Entry[] {
  const config = dockerConfigSchema.safeParse(content(secret, '.dockerconfigjson'));
  const legacy = auths.safeParse(content(secret, '.dockercfg'));
  const all = config.data?.auths ?? legacy.data ?? {};
  return Object.entries(all).flatMap(([server, value]) => {
    const entry = entrySchema.safeParse(value);
    if (!entry.success) return [];
    const [username = '', ...password] = Buffer.from(entry.data.auth ?? '', 'base64')
      .toString()
      .split(':');
    const credentials = entry.data.auth
      ? { username, password: password.join(':') }
      : { username: entry.data.username ?? '', password: entry.data.password ?? '' };
    return [{ key: keyOf(server), credentials }];
  });
}

function content(secret: Secret, key: string): unknown {
  const encoded = secret.data?.[key];
  if (encoded === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    return undefined;
  }
}

function keyOf(server: string): string {
  const bare = server.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  if (slash < 0) return bare;
  const path = bare.slice(slash).replace(/^\/v[12]\//, '/');
  return path === '/' ? bare.slice(0, slash) : bare.slice(0, slash) + path;
}

function matches(key: string, repository: string): boolean {
  const [pattern, target] = [split(key), split(repository)];
  if (pattern.port !== target.port || !target.path.startsWith(pattern.path)) return false;
  const [wanted, parts] = [pattern.host.split('.'), target.host.split('.')];
  return wanted.length === parts.length && wanted.every((part, index) => globs(part, parts[index] ?? ''));
}

function split(key: string): { host: string; port: string; path: string } {
  const slash = key.indexOf('/');
  const server = slash < 0 ? key : key.slice(0, slash);
  const [, host = server, port = ''] = /^(.*):(\d+)$/.exec(server) ?? [];
  return { host, port, path: slash < 0 ? '' : key.slice(slash) };
}

/** `*` is any text and `?` any one character; everything else stands for itself. */
function globs(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
}
