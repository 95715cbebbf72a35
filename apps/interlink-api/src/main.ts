import { bindApi, openApiDocument, servicePaths } from '@interlink/contract';
import { createServiceApp, ownerOf, runService, startServer } from '@interlink/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { configSchema } from './config.ts';
import { fromInterlink } from './interlink-config.ts';
import { createRelay } from './relay.ts';
import { connectSidecar } from './sidecar-client.ts';

await runService({
  name: 'interlink-api',
  version: manifest.version,
  description:
    'The gateway between the virtual kubelets and the sidecar of a site: knows who may call, keeps no state.',
  schema: configSchema,
  translate: fromInterlink,
  configVariables: ['INTERLINKCONFIGPATH'],
  start: async ({ listen, sidecar, bodyLimit }, { name, version, log, metrics, signal }) => {
    const client = await connectSidecar(sidecar, metrics.clientObserver('sidecar'));
    const server = `${name}/${version}`;
    const relay = createRelay({ client, site: sidecar.site, server, stopping: signal });
    const document = openApiDocument('api', { title: name, version });
    const app = createServiceApp({
      name,
      version,
      log,
      metrics,
      // Also while the sidecar is away: callers must be able to reach the API to hear that.
      ready: () => undefined,
      mount: (router) => {
        bindApi(router, relay, { ownerOf, bodyLimit, service: { name, stopping: signal } });
        router.get(servicePaths.openapi, (_request, response) => {
          response.json(document);
        });
      },
    });
    return startServer({ listen, app, log });
  },
});
