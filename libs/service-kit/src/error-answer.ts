import { types } from 'node:util';
import type { ErrorRequestHandler } from 'express';
import { InterlinkError, sessionHeader } from '@interlink/contract';
import type { Logger } from 'pino';
import { routeNameOf } from './metrics.ts';

/** Last in the chain: any thrown value as an answer of the contract. What nobody expected is logged, never shown. */
export function errorAnswer(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const session = request.headers[sessionHeader];
    const fields = { session, route: routeNameOf(request.path) };
    if (response.headersSent || response.destroyed || typeOf(thrown) === 'request.aborted') {
      log.debug({ ...fields, err: thrown }, 'request broken off');
      response.destroy();
      return;
    }
    const error = asContractError(thrown);
    if (error.code === 'Internal') log.error({ ...fields, err: thrown }, 'request failed');
    else log.debug({ ...fields, err: error }, 'request refused');
    const shown =
      error === thrown || error.code !== 'Internal'
        ? error
        : new InterlinkError(
            'Internal',
            `internal error; its cause is in this service's log, session ${String(session)}`,
          );
    if (shown.code === 'Unauthenticated') response.set('WWW-Authenticate', 'Bearer');
    response.status(shown.status).json(shown.toBody());
  };
}

function asContractError(thrown: unknown): InterlinkError {
  if (thrown instanceof InterlinkError) return thrown;
  if (typeOf(thrown) === 'entity.too.large') {
    return new InterlinkError('TooLarge', `the body is larger than this service accepts${limitOf(thrown)}`);
  }
  const status = numberOf(thrown, 'status');
  if (status !== undefined && status >= 400 && status < 500) {
    return new InterlinkError('Malformed', `the request cannot be read: ${typeOf(thrown) ?? 'not valid HTTP'}`);
  }
  return InterlinkError.from(thrown);
}

/** body-parser's own classification of its errors. */
function typeOf(thrown: unknown): string | undefined {
  return types.isNativeError(thrown) && 'type' in thrown && typeof thrown.type === 'string' ? thrown.type : undefined;
}

function limitOf(thrown: unknown): string {
  const limit = numberOf(thrown, 'limit');
  return limit === undefined ? '' : ` (${limit} bytes)`;
}

function numberOf(thrown: unknown, key: string): number | undefined {
  const value: unknown = types.isNativeError(thrown) ? Reflect.get(thrown, key) : undefined;
  return typeof value === 'number' ? value : undefined;
}
