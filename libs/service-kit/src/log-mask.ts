import { types } from 'node:util';

const secretKey =
  /^(?:proxy-)?authorization$|^(?:set-)?cookie$|token$|passw(?:or)?d$|^passphrase$|^bearer$|^(?:private|api)_?key$/i;
/** Below these keys (and in any object of kind Secret) `data` holds secrets; below `env`, each `value` may. */
const secretParent = /^(?:secrets?|pullSecrets|configmaps|projectedvolumes?maps)$/i;
const dataKey = /^(?:data|stringData|binaryData)$/;
const maxDepth = 8;
const maxItems = 100;

export const masked = '[masked]';

/**
 * A copy of a log object without credentials: by key name at any depth, the contents of Secrets and ConfigMaps, and
 * the values of `env`. Errors pass: the `err` serializer sees to them.
 */
export function maskSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return maskRecord(fields, { data: false, env: false }, 0);
}

interface Inside {
  readonly data: boolean;
  readonly env: boolean;
}

function mask(value: unknown, inside: Inside, depth: number): unknown {
  if (typeof value === 'string') return maskText(value);
  if (typeof value !== 'object' || value === null || types.isNativeError(value)) return value;
  if (depth > maxDepth) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => mask(item, inside, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // Dates, Buffers and the like render themselves; a class that hides its state keeps it hidden.
  return prototype === Object.prototype || prototype === null
    ? maskRecord(value as Record<string, unknown>, inside, depth)
    : value;
}

function maskRecord(record: Record<string, unknown>, inside: Inside, depth: number): Record<string, unknown> {
  const isSecret = inside.data || record['kind'] === 'Secret';
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => {
      const hide =
        (secretKey.test(key) && value !== undefined && value !== null) ||
        (isSecret && dataKey.test(key)) ||
        (inside.env && key === 'value');
      if (hide) return [key, masked];
      if (key === 'env' && !Array.isArray(value) && typeof value === 'object') return [key, masked];
      return [key, mask(value, { data: isSecret || secretParent.test(key), env: key === 'env' }, depth + 1)];
    }),
  );
}

/** Credentials inside a text, such as an error message that quotes a header. */
export function maskText(text: string): string {
  return text.replace(/\b(Bearer|Basic)\s+[^\s"',;]+/gi, `$1 ${masked}`);
}
