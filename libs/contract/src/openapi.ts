import { z } from 'zod';
import { errorBodySchema, errorCatalogue } from './errors.ts';
import { ownerHeader, sessionHeader } from './headers.ts';
import { routes, type Leg, type Route } from './routes.ts';

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

const parameters = [
  header(sessionHeader, 'One id for a request on all hops.'),
  header(ownerHeader, 'For which cluster and node the call is made.'),
];

/** The OpenAPI 3.1 document of one leg, derived from the routes and the schemas. */
export function openApiDocument(leg: Leg, server: { title: string; version: string }): object {
  const table: Route[] = Object.values(routes);
  const paths = table.flatMap((route) => {
    const method = route.method[leg];
    return method === undefined ? [] : [[route.path, { [method]: operation(route, leg) }] as const];
  });
  return {
    openapi: '3.1.0',
    info: { title: server.title, version: server.version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ bearer: [] }, {}],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(errorBodySchema, 'output') },
    },
  };
}

function operation(route: Route, leg: Leg): object {
  const request = route.request?.[leg];
  return {
    operationId: route.path.slice(1),
    summary: route.summary,
    'x-interlink-extension': route.extension === true,
    parameters: [
      ...parameters,
      ...(route.path === routes.events.path
        ? [{ name: 'cursor', in: 'query', required: false, schema: { type: 'string' } }]
        : []),
      ...(route.query === undefined ? [] : queryParameters(route.query)),
    ],
    ...(request === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(request, 'input') } } } }),
    responses: {
      ...success(route.reply),
      ...Object.fromEntries(
        Object.entries(errorCatalogue).map(([code, { status }]) => [
          status,
          { description: code, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
        ]),
      ),
    },
  };
}

function success(reply: Route['reply']): object {
  if (reply.type === 'websocket') {
    return { 101: { description: `A WebSocket of the subprotocol ${reply.protocol}; asked for without, an error.` } };
  }
  const schema = reply.schema ? jsonSchema(reply.schema, 'output') : { type: 'string' };
  return { 200: { description: 'The only success.', content: { [reply.type]: { schema } } } };
}

function queryParameters(query: z.ZodType): object[] {
  const { properties, required } = querySchema.parse(jsonSchema(query, 'input'));
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

const querySchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()).default([]),
});

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
