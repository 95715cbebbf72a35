import type { RequestHandler } from 'express';

export const healthPath = '/healthz';

/** Answering at all is the health of this server; how the site is, the node's conditions tell. */
export function health(): RequestHandler {
  return (_request, response) => {
    response.type('text/plain').send('ok');
  };
}
