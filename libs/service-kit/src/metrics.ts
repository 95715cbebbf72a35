import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { routes, servicePaths } from '@interlink/contract';

export type ClientObserver = (route: string, outcome: string, seconds: number) => void;

export interface Metrics {
  readonly registry: Registry;
  /** Counts one request that this service answered. */
  observeRequest(request: { route: string; method: string; status: number; seconds: number }): void;
  /** Counts requests that this service makes to `peer` (a role such as `sidecar`, never an address). */
  clientObserver(peer: string): ClientObserver;
}

const buckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];
/** More distinct values than any service has routes: whatever comes after is a mistake and must not fill the memory. */
const maxLabelValues = 64;
const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** A registry of its own per service, with the two families that all services have. */
export function createMetrics({ processMetrics }: { processMetrics: boolean }): Metrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'interlink_http_requests_seconds',
    help: 'Requests answered, by time from the first byte in to the last byte out.',
    labelNames: ['route', 'method', 'status'],
    buckets,
    registers,
  });
  const calls = new Counter({
    name: 'interlink_client_requests_total',
    help: 'Requests made to other services; outcome is ok or the code of the error.',
    labelNames: ['peer', 'route', 'outcome'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'interlink_client_requests_seconds',
    help: 'Requests made to other services, by time to the answer (streams: to the first byte).',
    labelNames: ['peer', 'route'],
    buckets,
    registers,
  });
  const boundedRoute = bounded();
  const boundedOutcome = bounded();

  return {
    registry,
    observeRequest: ({ route, method, status, seconds }) => {
      const labels = { route: boundedRoute(route), method: methods.has(method) ? method : 'other', status };
      requests.observe(labels, seconds);
    },
    clientObserver: (peer) => (route, outcome, seconds) => {
      const name = boundedRoute(route);
      calls.inc({ peer, route: name, outcome: boundedOutcome(outcome) });
      callSeconds.observe({ peer, route: name }, seconds);
    },
  };
}

const routeNames = new Map<string, string>([
  ...Object.entries(routes).map(([name, route]) => [route.path, name] as const),
  ...Object.entries(servicePaths).map(([name, path]) => [path, name] as const),
]);

/** The route's name for a label or a log line; a path that the contract does not know is `other`. */
export function routeNameOf(path: string): string {
  return routeNames.get(path) ?? 'other';
}

function bounded(): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.size < maxLabelValues) seen.add(value);
    return seen.has(value) ? value : 'other';
  };
}
