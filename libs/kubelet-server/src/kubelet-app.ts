import express, { type Express, type RequestHandler } from 'express';
import { InterlinkError, sessionHeader, sessionOf } from '@interlink/contract';
import type { Logger, Metrics } from '@interlink/service-kit';
import { pathOf, type Admission } from './admission.ts';
import { configz, configzPath } from './configz.ts';
import { containerLogs, containerLogsPath } from './container-logs.ts';
import { hangUpOf } from './hang-up.ts';
import { health, healthPath } from './health.ts';
import { pods, podsPath, runningPods, runningPodsPath } from './pod-lists.ts';
import type { KubeletProvider } from './provider.ts';
import { statsEndpoints } from './stats/stats-endpoints.ts';
import type { StatsSource } from './stats/stats-source.ts';
import { streamTarget } from './streaming/stream-path.ts';
import { textErrors } from './text-errors.ts';

export interface KubeletAppOptions {
  readonly nodeName: string;
  readonly address: string;
  readonly port: () => number;
  readonly admit: Admission;
  readonly provider: KubeletProvider;
  readonly stats: StatsSource;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The kubelet's HTTP endpoints, without the listener. */
export function createKubeletApp(options: KubeletAppOptions): Express {
  const { nodeName, address, port, admit, provider, stats, log, metrics } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // The path decides what is authorized: it must mean to the router what it means to the admission.
  app.enable('case sensitive routing');
  app.disable('query parser');

  app.use(observe(log, metrics));
  app.use(async (request, response, next) => {
    await admit(request, hangUpOf(response));
    next();
  });
  app.get(healthPath, health());
  app.get(containerLogsPath, containerLogs(provider, log));
  app.get(podsPath, pods(provider));
  app.get(runningPodsPath, runningPods(provider));
  app.get(configzPath, configz(address, port));
  for (const [path, handler] of statsEndpoints({ nodeName, provider, source: stats, log, metrics })) {
    app.get(path, handler);
  }
  app.use((request) => {
    if (streamTarget(pathOf(request)) !== undefined) {
      throw new InterlinkError('Malformed', 'unable to upgrade: missing upgrade headers in request');
    }
    throw new InterlinkError('NotFound', `there is no ${request.path.slice(0, 200)} on this node`);
  });
  app.use(textErrors(log));
  return app;
}

const endpoints = new Set([
  ...[
    'attach',
    'configz',
    'containerLogs',
    'exec',
    'healthz',
    'metrics',
    'pods',
    'portForward',
    'runningpods',
    'stats',
  ],
]);

/** Session id in and out, one log line and one measurement per request, refused ones included. */
function observe(log: Logger, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const session = sessionOf(request.headers[sessionHeader]);
    // Written back, so that all who read it later see the same id, also where the caller sent none.
    request.headers[sessionHeader] = session;
    response.set(sessionHeader, session);
    const { method } = request;
    const path = pathOf(request);
    const [, first = ''] = path.split('/', 2);
    response.once('close', () => {
      const seconds = (performance.now() - start) / 1000;
      const status = response.statusCode;
      metrics.observeRequest({ route: endpoints.has(first) ? `kubelet ${first}` : 'other', method, status, seconds });
      const fields = { session, path: path.slice(0, 200), method, status, ms: Math.round(seconds * 1000) };
      log.debug(response.writableFinished ? fields : { ...fields, cut: true }, 'kubelet request');
    });
    next();
  };
}
