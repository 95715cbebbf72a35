import { join } from 'node:path';
import { bindSidecar, openApiDocument, servicePaths } from '@interlink/contract';
import { createServiceApp, ownerOf, runService, startServer } from '@interlink/service-kit';
import { Sidecar } from '@interlink/sidecar-kit';
import packageJson from '../package.json' with { type: 'json' };
import { configSchema } from './config.ts';
import { DockerBackend } from './docker-backend.ts';
import { Engine } from './engine.ts';
import { PullRecords } from './registry/pull-records.ts';

const name = 'docker-sidecar';
const { version } = packageJson;

await runService({
  name,
  version,
  description: 'Runs pods on a Docker engine.',
  schema: configSchema,
  async start(config, { log, metrics, signal }) {
    const engine = new Engine(config.engineSocket, metrics.clientObserver('engine'));
    const records = await PullRecords.open(join(config.spool, 'images'));
    const backend = new DockerBackend({ ...config, engine, hostIP: config.hostIP, records, log });
    const server = `${name}/${version}`;
    const sidecar = await Sidecar.open({ site: config.site, server, backend, spoolFolder: config.spool, log });
    const stop = new AbortController();
    const work = sidecar.run(AbortSignal.any([signal, stop.signal]));
    const app = createServiceApp({
      name,
      version,
      log,
      metrics,
      ready: () => sidecar.notReady(),
      mount: (router) => {
        router.get(servicePaths.openapi, (_request, response) => {
          response.json(openApiDocument('sidecar', { title: `Interlink ${name}`, version }));
        });
        const service = { name, stopping: AbortSignal.any([signal, stop.signal]) };
        bindSidecar(router, sidecar, { ownerOf, bodyLimit: config.bodyLimit, service });
      },
    });
    const listening = await startServer({ listen: config.listen, app, log, signal });
    return {
      async stop() {
        stop.abort();
        await listening.stop();
        await work;
      },
    };
  },
});
