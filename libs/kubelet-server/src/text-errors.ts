import type { ErrorRequestHandler } from 'express';
import { sessionHeader } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import { errorAnswer } from './error-answer.ts';

/** Last in the chain of the ordinary requests. */
export function textErrors(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const session = String(request.headers[sessionHeader]);
    if (response.headersSent || response.destroyed) {
      log.debug({ session, err: thrown }, 'request broken off');
      response.destroy();
      return;
    }
    const { status, text, headers } = errorAnswer(thrown, session, log);
    response.status(status).set(headers).type('text/plain').send(text);
  };
}
