import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createServiceApp, duration, listenSchema, logSchema, runService, startServer } from '../index.ts';

/** The smallest service there can be; the specs run it as a process of its own. */
await runService({
  name: 'fixture-service',
  version: '1.2.3',
  description: 'Answers /slow after a while.',
  schema: z.strictObject({ listen: listenSchema, log: logSchema, slow: duration.prefault('300ms') }),
  envAliases: { FIXTURE_LEVEL: 'log.level' },
  start: async ({ listen, slow }, { name, version, log, metrics }) =>
    startServer({
      listen,
      log,
      app: createServiceApp({
        name,
        version,
        log,
        metrics,
        ready: () => undefined,
        mount: (router) => {
          router.get('/slow', async (_request, response) => {
            response.write('begin ');
            await delay(slow);
            response.end('end');
          });
          router.get('/stray', (_request, response) => {
            response.end();
            setImmediate(() => {
              throw new Error('nobody catches this');
            });
          });
        },
      }),
    }),
});
