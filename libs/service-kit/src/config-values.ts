import { z } from 'zod';

/** Where a peer listens, taken apart. */
export type Endpoint =
  | { readonly scheme: 'unix'; readonly path: string }
  | { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number };

const tcpShape = /^(https?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})\/?$/;
/** What fits into the kernel's sockaddr_un with its closing NUL; longer paths fail with an error that names neither. */
const maxSocketPathBytes = 107;

/** Takes `unix:///path`, `http://host:port` or `https://host:port` apart; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (text.startsWith('unix:///')) return { scheme: 'unix', path: text.slice('unix://'.length) };
  const [, scheme, host, digits] = tcpShape.exec(text) ?? [];
  const port = Number(digits);
  if ((scheme !== 'http' && scheme !== 'https') || host === undefined || port > 65535) return undefined;
  return { scheme, host: host.replace(/^\[|\]$/g, ''), port };
}

/** `unix:///path`, `http://host:port` or `https://host:port`, as text. */
export const endpoint = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseEndpoint(text);
    if (parsed === undefined) {
      context.addIssue({
        code: 'custom',
        message: 'must be unix:///absolute/path, http://host:port or https://host:port',
      });
    } else if (parsed.scheme === 'unix' && Buffer.byteLength(parsed.path) > maxSocketPathBytes) {
      context.addIssue({
        code: 'custom',
        message: `the path of a unix socket must not exceed ${maxSocketPathBytes} bytes; choose a shorter folder`,
      });
    }
  })
  .describe('unix:///absolute/path, http://host:port or https://host:port');

export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'must be an absolute path')
  .describe('absolute path');

const millis = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const durationShape = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** `250ms`, `10s`, `5m` or `1h`; the result is in milliseconds. */
export const duration = z
  .string()
  .regex(durationShape, 'must be a duration such as 250ms, 10s, 5m or 1h')
  .transform((text) => {
    const [, digits, unit] = durationShape.exec(text) ?? [];
    return Math.round(Number(digits) * millis[(unit ?? 'ms') as keyof typeof millis]);
  })
  .describe('duration such as 250ms, 10s, 5m or 1h');

const factors = new Map([
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
]);
const sizeShape = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const sizeMessage = 'must be a size in bytes such as 1048576, 512Ki or 16Mi';

/** `16Mi`, `512Ki`, `10M` or a bare number; the result is in bytes. */
export const byteSize = z
  .union([z.int().nonnegative(), z.string().regex(sizeShape)], { error: sizeMessage })
  .transform((size) => {
    if (typeof size === 'number') return size;
    const [, digits, unit] = sizeShape.exec(size) ?? [];
    return Math.round(Number(digits) * (factors.get(unit ?? '') ?? 1));
  })
  .describe('size such as 1048576, 512Ki or 16Mi');
