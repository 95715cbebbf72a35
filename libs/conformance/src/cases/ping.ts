import { pingReplySchema } from '@interlink/contract';
import { z } from 'zod';
import { json, ok } from '../answer.ts';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';

export const pingCases = section('ping', 'core', [
  {
    name: 'alive',
    title: 'A ping (sidecar: /status of an empty list; API: /pinglink) says ok and what the site has got',
    async run(context) {
      const answer = await (context.target.leg === 'sidecar' ? context.call('status', []) : context.call('ping'));
      check(answer.text.trim().startsWith('{'), `ping: expected an object, got ${show(answer.text)}`);
      const { status, resources } = json(answer, pingReplySchema, 'ping');
      same(status, 'ok', 'status');
      for (const name of ['cpu', 'memory'] as const) {
        const value = resources?.[name];
        check(value === undefined || value === null || quantity.test(value), `${name} is no quantity: ${show(value)}`);
      }
      const pods = resources?.pods;
      check(pods === undefined || pods === null || /^\d+$/.test(pods), `pods is no number: ${show(pods)}`);
    },
  },
  {
    name: 'empty-list',
    title: 'The status of an empty list at the API is an empty list',
    leg: 'api',
    async run(context) {
      same(json(await context.call('status', []), z.array(z.unknown()), 'status'), [], 'status');
    },
  },
  {
    name: 'update-cache',
    title: '/updateCache is taken, with a bare UID as its body',
    leg: 'api',
    async run(context) {
      ok(await context.call('updateCache', context.pod({ script: 'true' }).uid), 'updateCache');
    },
  },
]);

const quantity = /^\d+(\.\d+)?([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
