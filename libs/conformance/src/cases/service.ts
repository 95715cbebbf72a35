import { capabilitiesSchema, routes, servicePaths, type Route } from '@interlink/contract';
import { z } from 'zod';
import { json, ok, refused } from '../answer.ts';
import { check, same, show, skip } from '../check.ts';
import { section } from '../conformance-case.ts';

const documentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

export const serviceCases = section('service', 'extensions', [
  {
    name: 'capabilities',
    title: '/capabilities says which contract and which features',
    async run(context) {
      const { site, server } = json(await context.call('capabilities'), capabilitiesSchema, 'capabilities');
      check(site !== '' && server !== '', 'site or server is empty');
    },
  },
  {
    name: 'health',
    title: '/healthz and /readyz answer a bare word without credentials',
    async run(context) {
      for (const path of [servicePaths.health, servicePaths.ready]) {
        const text = ok(await context.get(path, false), path);
        check(/^\w+\n?$/.test(text), `${path}: expected a bare word, got ${show(text)}`);
      }
    },
  },
  {
    name: 'credentials',
    title: 'Whoever has no credentials is refused on every path (401)',
    async run(context) {
      const { peer, leg } = context.target;
      if (!peer.hasCredentials) skip('this target is called without credentials (a unix socket, or none asked for)');
      const table: readonly (readonly [string, Route])[] = Object.entries(routes);
      for (const [, route] of table) {
        const method = route.method[leg]?.toUpperCase();
        if (method === undefined) continue;
        const request = { method, path: route.path, signal: context.signal, withCredentials: false };
        refused(await peer.send({ ...request, body: '[]' }), `${route.path} without credentials`, 'Unauthenticated');
        const headers = { Authorization: 'Bearer not-the-key-of-anybody' };
        refused(await peer.send({ ...request, headers }), `${route.path} with a wrong key`, 'Unauthenticated');
      }
    },
  },
  {
    name: 'openapi',
    title: '/openapi.json is OpenAPI 3.1 and has every route',
    async run(context) {
      const document = json(await context.get(servicePaths.openapi), documentSchema, servicePaths.openapi);
      check(document.openapi.startsWith('3.1.'), `openapi: expected 3.1, got ${document.openapi}`);
      const table: Route[] = Object.values(routes);
      const missing = table.flatMap(({ path, method }) => {
        const wanted = method[context.target.leg];
        return wanted === undefined || document.paths[path]?.[wanted] !== undefined ? [] : [`${wanted} ${path}`];
      });
      same(missing, [], 'routes that are missing');
    },
  },
]);
