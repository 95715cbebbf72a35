import { bindSidecar } from '@interlink/contract';
import {
  absolutePath,
  byteSize,
  createServiceApp,
  listenSchema,
  logSchema,
  ownerOf,
  runService,
  startServer,
} from '@interlink/service-kit';
import { Sidecar } from '@interlink/sidecar-kit';
import { z } from 'zod';
import { StubBackend } from './stub-backend.ts';

const configSchema = z.strictObject({
  site: z.string(),
  listen: listenSchema,
  log: logSchema,
  spool: absolutePath,
  /** ms from submit to Running. */
  delayMs: z.number().min(0).default(0),
  bodyLimit: byteSize.default(16 * 1024 * 1024),
});

/** The bench's sidecar: everything that all sidecars share, on a site that costs nothing. */
await runService({
  name: 'stub-sidecar',
  version: '0.1.0',
  description: 'Pretends to run pods, to measure what is around a site.',
  schema: configSchema,
  async start({ site, listen, spool, delayMs, bodyLimit }, { name, version, log, metrics, signal }) {
    const backend = new StubBackend({ delayMs, observe: metrics.clientObserver('site') });
    const server = `${name}/${version}`;
    const sidecar = await Sidecar.open({ site, server, backend, spoolFolder: spool, log });
    const stop = new AbortController();
    const work = sidecar.run(AbortSignal.any([signal, stop.signal]));
    const app = createServiceApp({
      name,
      version,
      log,
      metrics,
      ready: () => sidecar.notReady(),
      mount: (router) => {
        // All at one known moment: that is what ends are measured from.
        router.post('/end/:exitCode', (request, response) => {
          response.json({ ended: backend.endAll(z.coerce.number().int().parse(request.params.exitCode)) });
        });
        bindSidecar(router, sidecar, { ownerOf, bodyLimit });
      },
    });
    const listening = await startServer({ listen, app, log, signal });
    return {
      async stop() {
        stop.abort();
        await listening.stop();
        await work;
      },
    };
  },
});
