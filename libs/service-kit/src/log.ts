import { types } from 'node:util';
import { pino, type DestinationStream, type Logger } from 'pino';
import { InterlinkError } from '@interlink/contract';
import { z } from 'zod';
import { maskSecrets, maskText } from './log-mask.ts';

/** Goes into a service's config as `log: logSchema`. */
export const logSchema = z
  .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info') })
  .prefault({});

export type LogConfig = z.infer<typeof logSchema>;

export interface LogOptions extends LogConfig {
  readonly name: string;
  readonly version: string;
  /** Default: stdout, written synchronously, so that the last line before an exit is never lost. */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines with ISO times. Names of the common fields: `session` (id of the request on all hops), `pod`
 * (namespace/name), `uid` (of the pod), `err`. Credentials are masked, see {@link maskSecrets}.
 */
export function createLogger({ name, version, level, destination }: LogOptions): Logger {
  return pino(
    {
      level,
      base: { service: name, version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: maskSecrets },
      serializers: { err: errorFields },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

const maxCauses = 5;

/**
 * An error as log fields: class, code, message, causes. Nothing else is taken over, because client errors carry the
 * whole request and with it the credentials. The stack is for what nobody expected, so not for an InterlinkError.
 */
export function errorFields(thrown: unknown, depth = 0): unknown {
  if (!types.isNativeError(thrown)) return typeof thrown === 'string' ? maskText(thrown) : '[not an error]';
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return {
    type: thrown.name,
    ...(code === undefined ? {} : { code }),
    ...(thrown instanceof InterlinkError && thrown.field !== undefined ? { field: thrown.field } : {}),
    ...(thrown instanceof InterlinkError && thrown.session !== undefined ? { session: thrown.session } : {}),
    message: maskText(thrown.message),
    ...(depth === 0 && !(thrown instanceof InterlinkError) ? { stack: maskText(thrown.stack ?? '') } : {}),
    ...(thrown.cause === undefined || depth >= maxCauses ? {} : { cause: errorFields(thrown.cause, depth + 1) }),
  };
}
