import { runService } from '@interlink/service-kit';
import packageJson from '../package.json' with { type: 'json' };
import { configSchema } from './config.ts';
import { fromInterlink } from './interlink-config.ts';
import { startVirtualNode } from './virtual-node.ts';

await runService({
  name: 'vk-node',
  version: packageJson.version,
  description: 'Makes one site look like a node of a Kubernetes cluster.',
  schema: configSchema,
  translate: fromInterlink,
  configVariables: ['CONFIGPATH'],
  start: startVirtualNode,
});
