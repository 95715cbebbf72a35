import { z } from 'zod';
import {
  createReplySchema,
  createRequestSchema,
  logRequestSchema,
  pingReplySchema,
  podStatusSchema,
  retrievedPodSchema,
} from './core.ts';
import { capabilitiesSchema, eventSchema, updateRequestSchema } from './extensions.ts';
import { podRefSchema } from './pod.ts';
import { siteStatsSchema } from './streams/site-stats.ts';
import { streamProtocols, streamQueries } from './streams/stream-requests.ts';

/** The two places where the contract is spoken: vk-node to API, and API to sidecar. */
export type Leg = 'api' | 'sidecar';

export interface Route {
  readonly path: string;
  /** The method that our client uses on each leg. Servers take any: interLink's do, and its clients differ. */
  readonly method: { readonly [leg in Leg]?: 'get' | 'post' | 'delete' };
  readonly summary: string;
  readonly extension?: boolean;
  readonly request?: { readonly [leg in Leg]?: z.ZodType };
  readonly query?: z.ZodType;
  readonly reply:
    | { readonly type: 'application/json' | 'text/plain' | 'application/x-ndjson'; readonly schema?: z.ZodType }
    | { readonly type: 'websocket'; readonly protocol: string };
}

const both = <T>(value: T) => ({ api: value, sidecar: value });

/** Every path of the contract, once: the express binding, the client and the OpenAPI document all come from here. */
export const routes = {
  create: {
    path: '/create',
    method: both('post'),
    summary: 'Run a pod. Idempotent by owner and pod UID; a UID that was deleted answers 410.',
    request: { api: createRequestSchema, sidecar: retrievedPodSchema },
    reply: { type: 'application/json', schema: createReplySchema },
  },
  delete: {
    path: '/delete',
    method: { api: 'delete', sidecar: 'post' },
    summary: 'Stop a pod within its grace period and forget it. Deleting the unknown succeeds and leaves a tombstone.',
    request: both(podRefSchema),
    reply: { type: 'text/plain' },
  },
  status: {
    path: '/status',
    method: both('get'),
    summary:
      'Statuses of the pods in the body (a GET with a body, as interLink has it). An empty list is a ping; a pod that is not known here has no entry in the answer.',
    request: both(z.array(podRefSchema)),
    reply: { type: 'application/json', schema: z.union([z.array(podStatusSchema), pingReplySchema]) },
  },
  logs: {
    path: '/getLogs',
    method: both('get'),
    summary: 'Log of one container, streamed (a GET with a body, as interLink has it).',
    request: both(logRequestSchema),
    reply: { type: 'text/plain' },
  },
  ping: {
    path: '/pinglink',
    method: { api: 'post' },
    summary: 'Is the site alive, and what has it got.',
    reply: { type: 'application/json', schema: pingReplySchema },
  },
  updateCache: {
    path: '/updateCache',
    method: { api: 'post' },
    summary: 'Accepted for compatibility: there is no cache, so nothing to forget.',
    reply: { type: 'text/plain' },
  },
  capabilities: {
    path: '/capabilities',
    method: both('get'),
    summary: 'What this server can do beyond the core. 404 means a classic plugin.',
    extension: true,
    reply: { type: 'application/json', schema: capabilitiesSchema },
  },
  events: {
    path: '/events',
    method: both('get'),
    summary: 'State, then changes, one JSON document a line. `?cursor=` goes on from an earlier line.',
    extension: true,
    reply: { type: 'application/x-ndjson', schema: eventSchema },
  },
  update: {
    path: '/update',
    method: both('post'),
    summary: 'What changed of a running pod: labels, images, ConfigMaps, Secrets, projected content. Idempotent.',
    extension: true,
    request: both(updateRequestSchema),
    reply: { type: 'text/plain' },
  },
  exec: {
    path: '/exec',
    method: both('get'),
    summary: 'Run a command in a running container, over a WebSocket. Errors before the upgrade are ordinary answers.',
    extension: true,
    query: streamQueries.exec,
    reply: { type: 'websocket', protocol: streamProtocols.exec },
  },
  attach: {
    path: '/attach',
    method: both('get'),
    summary: 'The streams of a running container itself, over a WebSocket. Hanging up leaves it running.',
    extension: true,
    query: streamQueries.attach,
    reply: { type: 'websocket', protocol: streamProtocols.attach },
  },
  portForward: {
    path: '/portForward',
    method: both('get'),
    summary: 'One connection to a port of a running pod, over a WebSocket.',
    extension: true,
    query: streamQueries.portForward,
    reply: { type: 'websocket', protocol: streamProtocols.portForward },
  },
  stats: {
    path: '/stats',
    method: both('get'),
    summary: 'What the running pods of the owner use now.',
    extension: true,
    reply: { type: 'application/json', schema: siteStatsSchema },
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;

/** Answered by every service beside the contract. */
export const servicePaths = {
  health: '/healthz',
  ready: '/readyz',
  metrics: '/metrics',
  openapi: '/openapi.json',
} as const;
