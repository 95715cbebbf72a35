import { types } from 'node:util';
import type { ErrorRequestHandler } from 'express';
import { InterlinkError, sessionHeader } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';

/** Last in the chain: any thrown value as status and plain text, which is how the kubelet tells errors. */
export function textErrors(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const session = request.headers[sessionHeader];
    if (response.headersSent || response.destroyed) {
      log.debug({ session, err: thrown }, 'request broken off');
      response.destroy();
      return;
    }
    const error = asInterlinkError(thrown);
    if (error === undefined) log.error({ session, err: thrown }, 'request failed');
    else log[error.status >= 500 ? 'warn' : 'debug']({ session, err: error }, 'request refused');
    const unexpected = `internal error; its cause is in the log of vk-node, session ${String(session)}`;
    if (error?.code === 'Unauthenticated') response.set('WWW-Authenticate', 'Bearer');
    response.status(error?.status ?? 500);
    response.type('text/plain').send(error?.message ?? unexpected);
  };
}

/** Undefined for what nobody expected: its text is not for strangers. */
function asInterlinkError(thrown: unknown): InterlinkError | undefined {
  if (thrown instanceof InterlinkError) return thrown;
  // Express's own: a path that cannot be decoded.
  const status: unknown = types.isNativeError(thrown) ? Reflect.get(thrown, 'status') : undefined;
  return status === 400 ? new InterlinkError('Malformed', 'the path cannot be read', { cause: thrown }) : undefined;
}
