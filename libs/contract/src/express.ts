import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { z } from 'zod';
import {
  createRequestSchema,
  logRequestSchema,
  sidecarCreateSchema,
  type CreateReply,
  type CreateRequest,
  type LogRequest,
  type PingReply,
  type PodStatus,
  type RetrievedPod,
} from './core.ts';
import { InterlinkError } from './errors.ts';
import { updateRequestSchema, type Capabilities, type SiteEvent, type UpdateRequest } from './extensions.ts';
import { sessionHeader, sessionOf } from './headers.ts';
import { podRefSchema, type PodRef } from './pod.ts';
import { routes, type Leg } from './routes.ts';
import { bindStreamRelay, bindStreams, type StreamHandlers, type StreamRelay } from './streams/bind-streams.ts';
import type { StreamService } from './streams/serve-command.ts';
import type { SiteStats } from './streams/site-stats.ts';

/** What a handler knows about the call. `signal` ends when the caller hangs up. */
export interface CallContext {
  readonly owner: string;
  readonly session: string;
  readonly signal: AbortSignal;
}

/** A server of the contract, apart from HTTP. Handlers throw InterlinkError. */
export interface ContractHandlers<Create> {
  create(request: Create, call: CallContext): Promise<CreateReply>;
  delete(pod: PodRef, call: CallContext): Promise<void>;
  status(pods: PodRef[], call: CallContext): Promise<PodStatus[]>;
  ping(call: CallContext): Promise<PingReply>;
  logs(request: LogRequest, call: CallContext): Promise<Readable>;
  capabilities(call: CallContext): Promise<Capabilities>;
  events(cursor: string | undefined, call: CallContext): AsyncIterable<SiteEvent>;
  update(request: UpdateRequest, call: CallContext): Promise<void>;
  stats(call: CallContext): Promise<SiteStats>;
}

export interface BindOptions {
  /** The owner that this caller acts for; throws Denied. */
  readonly ownerOf: (request: Request) => string;
  /** Bytes; a larger body is answered with 413. */
  readonly bodyLimit: number;
  /** Ends open streams; default never. */
  readonly service?: StreamService;
}

/** Mounts the sidecar's side of the contract. */
export function bindSidecar(
  router: Router,
  handlers: ContractHandlers<RetrievedPod> & StreamHandlers,
  options: BindOptions,
): void {
  bind(router, 'sidecar', sidecarCreateSchema, handlers, options);
  bindStreams(router, handlers, (...call) => contextOf(...call, options), serviceOf(options));
}

/** Mounts the API's side of the contract. */
export function bindApi(
  router: Router,
  handlers: ContractHandlers<CreateRequest> & StreamRelay,
  options: BindOptions,
): void {
  bind(router, 'api', createRequestSchema, handlers, options);
  bindStreamRelay(router, handlers, (...call) => contextOf(...call, options), serviceOf(options));
  router.all(routes.ping.path, async (request, response) => {
    response.json(await handlers.ping(contextOf(request, response, options)));
  });
  router.all(routes.updateCache.path, (_request, response) => {
    response.type('text/plain').send('Updated cache');
  });
}

function bind<Create>(
  router: Router,
  leg: Leg,
  createSchema: z.ZodType<Create>,
  handlers: ContractHandlers<Create>,
  options: BindOptions,
): void {
  // Any media type and any method: interLink's clients send GET bodies, and not all of them a content type.
  const json: RequestHandler = express.json({ type: () => true, limit: options.bodyLimit, strict: false });
  const call = (request: Request, response: Response) => contextOf(request, response, options);

  router.all(routes.create.path, json, async (request, response) => {
    response.json(await handlers.create(parseBody(createSchema, request), call(request, response)));
  });
  router.all(routes.delete.path, json, async (request, response) => {
    await handlers.delete(parseBody(podRefSchema, request), call(request, response));
    response.type('text/plain').send('deleted');
  });
  router.all(routes.status.path, json, async (request, response) => {
    const pods = parseBody(z.array(podRefSchema), request);
    const context = call(request, response);
    response.json(
      pods.length === 0 && leg === 'sidecar' ? await handlers.ping(context) : await handlers.status(pods, context),
    );
  });
  router.all(routes.logs.path, json, async (request, response) => {
    const log = await handlers.logs(parseBody(logRequestSchema, request), call(request, response));
    response.type('text/plain');
    response.flushHeaders();
    await pipeline(log, response).catch((error: unknown) => {
      // Headers are out: a cut connection is the only way left to say that the log is not whole.
      response.destroy(error instanceof Error ? error : undefined);
      // A caller who had hung up before there was a log leaves pipeline nothing to do, not even to close it.
      log.destroy();
    });
  });
  router.get(routes.capabilities.path, async (request, response) => {
    response.json(await handlers.capabilities(call(request, response)));
  });
  router.get(routes.events.path, async (request, response) => {
    const cursor = typeof request.query['cursor'] === 'string' ? request.query['cursor'] : undefined;
    const context = call(request, response);
    const events = handlers.events(cursor, context)[Symbol.asyncIterator]();
    // The first line decides whether there is a stream at all: a classic plugin's 404 must stay one.
    let line = await events.next();
    response.type(routes.events.reply.type);
    try {
      for (; !line.done && !context.signal.aborted; line = await events.next()) {
        if (!response.write(`${JSON.stringify(line.value)}\n`)) {
          await once(response, 'drain', { signal: context.signal }).catch(() => undefined);
        }
      }
    } finally {
      await events.return?.();
    }
    response.end();
  });
  router.all(routes.update.path, json, async (request, response) => {
    await handlers.update(parseBody(updateRequestSchema, request), call(request, response));
    response.type('text/plain').send('updated');
  });
  router.get(routes.stats.path, async (request, response) => {
    response.json(await handlers.stats(call(request, response)));
  });
}

function serviceOf({ service }: BindOptions): StreamService {
  return service ?? { name: 'the service', stopping: new AbortController().signal };
}

function contextOf(request: Request, response: Response, options: BindOptions): CallContext {
  const hangUp = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) hangUp.abort();
  });
  return {
    owner: options.ownerOf(request),
    session: sessionOf(request.headers[sessionHeader]),
    signal: hangUp.signal,
  };
}

/** Far more than any Pod has, far less than what overflows the stack of whoever walks or writes it later. */
const maxDepth = 200;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function parseBody<T>(schema: z.ZodType<T>, request: Request): T {
  if (isDeeper(request.body, maxDepth)) {
    throw new InterlinkError('Malformed', `the body of ${request.path} is nested more than ${maxDepth} deep`);
  }
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  throw new InterlinkError(
    'Malformed',
    `the body of ${request.path} is not as the contract says: ${field || 'body'}: ${issue?.message ?? 'invalid'}`,
    {
      ...(field ? { field } : {}),
    },
  );
}
