import express, { type Express, type RequestHandler, type Router } from 'express';
import { InterlinkError, servicePaths, sessionHeader, sessionOf } from '@interlink/contract';
import type { Logger } from 'pino';
import { authenticate, callerOf } from './caller.ts';
import { errorAnswer } from './error-answer.ts';
import { routeNameOf, type Metrics } from './metrics.ts';

export interface ServiceAppOptions {
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Why the service cannot do its work at present; undefined = it can. */
  readonly ready: () => string | undefined;
  /** Adds the service's own routes. They parse their own bodies, and see authenticated requests only. */
  readonly mount: (router: Router) => void;
}

/** The HTTP side that all services share. Serve it with `startServer`, which knows the callers. */
export function createServiceApp({ name, version, log, metrics, ready, mount }: ServiceAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  // Probes come without credentials, so they learn one bare word; the reason is in the log.
  app.get(servicePaths.health, (_request, response) => {
    response.type('text/plain').send('ok');
  });
  let lastReason: string | undefined;
  app.get(servicePaths.ready, (_request, response) => {
    const reason = ready();
    if (reason !== lastReason) log.info({ reason }, reason === undefined ? 'ready' : 'not ready');
    lastReason = reason;
    response.status(reason === undefined ? 200 : 503);
    response.type('text/plain').send(reason === undefined ? 'ok' : 'not ready');
  });

  app.use(observe(log, metrics));
  app.use(async (request, response, next) => {
    await authenticate(request);
    response.set('Server', `${name}/${version}`);
    next();
  });
  app.get(servicePaths.metrics, async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  const router = express.Router();
  mount(router);
  app.use(router);
  app.use((request) => {
    throw new InterlinkError('NotFound', `there is no ${request.path.slice(0, 200)} here`);
  });
  app.use(errorAnswer(log));
  return app;
}

/** Session id in and out, one log line and one measurement per request, refused ones included. */
function observe(log: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const session = sessionOf(request.headers[sessionHeader]);
    // Written back, so that all who read it later see the same id, also where the caller sent none.
    request.headers[sessionHeader] = session;
    response.set(sessionHeader, session);
    const { method } = request;
    const route = routeNameOf(request.path);
    response.once('close', () => {
      const seconds = (performance.now() - start) / 1000;
      const status = response.statusCode;
      metrics.observeRequest({ route, method, status, seconds });
      log[status >= 500 ? 'warn' : 'debug'](
        {
          session,
          route,
          ...(route === 'other' ? { path: request.path.slice(0, 200) } : {}),
          method,
          status,
          ms: Math.round(seconds * 1000),
          caller: callerName(request),
          ...(response.writableFinished || status === 101 ? {} : { cut: true }),
        },
        'request',
      );
    });
    next();
  };
}

function callerName(request: Parameters<RequestHandler>[0]): string | undefined {
  try {
    return callerOf(request).name;
  } catch {
    return undefined;
  }
}
