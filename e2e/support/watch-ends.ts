import { podSchema } from '@interlink/contract';
import { KubeClient } from '@interlink/kube';
import { z } from 'zod';

/**
 * A process of its own: `node watch-ends.ts KUBECONFIG NODE`. Watches the node's pods and prints a line of JSON when one
 * is seen to have ended: its name, and when that was seen (ms since the epoch).
 */
const [kubeconfig = '', nodeName = ''] = process.argv.slice(2);
const client = KubeClient.load({ kubeconfig });
const query = { fieldSelector: `spec.nodeName=${nodeName}` };
const list = await client.get({
  path: '/api/v1/pods',
  query,
  schema: z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) }),
});
process.stdout.write('ready\n');
const seen = new Set<string>();
const watch = client.watch({
  path: '/api/v1/pods',
  query: { ...query, resourceVersion: list.metadata.resourceVersion },
});
for await (const { object } of watch) {
  const at = Date.now();
  const pod = podSchema.safeParse(object);
  const phase = pod.data?.status?.phase;
  if (!pod.success || (phase !== 'Succeeded' && phase !== 'Failed') || seen.has(pod.data.metadata.uid)) continue;
  seen.add(pod.data.metadata.uid);
  process.stdout.write(`${JSON.stringify({ name: pod.data.metadata.name, at })}\n`);
}
