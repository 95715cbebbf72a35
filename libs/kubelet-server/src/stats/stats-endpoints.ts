import type { RequestHandler } from 'express';
import type { Logger, Metrics } from '@interlink/service-kit';
import type { KubeletProvider } from '../provider.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import { exposition, expositionType, type Family } from './exposition.ts';
import { resourceMetrics } from './resource-metrics.ts';
import type { StatsSource } from './stats-source.ts';
import { summaryOf } from './summary.ts';
import type { NodeUsage } from './usage.ts';

export interface StatsOptions {
  readonly nodeName: string;
  readonly provider: KubeletProvider;
  readonly source: StatsSource;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Handlers by path. */
export function statsEndpoints({
  nodeName,
  provider,
  source,
  log,
  metrics,
}: StatsOptions): ReadonlyMap<string, RequestHandler> {
  const findPod = (namespace: string, name: string) => provider.findPod(namespace, name);
  const startTime = new Date().toISOString();
  // What reads metrics makes nothing of an error text: it is told by a metric, and the why is in our log.
  const asMetrics =
    (familiesOf: (usage: NodeUsage | undefined) => Family[]): RequestHandler =>
    async (_request, response) => {
      const usage = await source.usage().catch((err: unknown) => {
        log.info({ err }, 'no stats of the site for a reader of metrics');
        return undefined;
      });
      response.type(expositionType).send(exposition(familiesOf(usage)));
    };
  return new Map<string, RequestHandler>([
    [
      '/stats/summary',
      async (_request, response) => {
        response.json(summaryOf(await source.usage(), { nodeName, startTime, findPod }));
      },
    ],
    ['/metrics/resource', asMetrics(resourceMetrics)],
    ['/metrics/cadvisor', asMetrics((usage) => cadvisorMetrics(usage, findPod))],
    [
      '/metrics',
      async (_request, response) => {
        const own = await metrics.registry.metrics();
        response.type(expositionType).send(own + exposition(kubeletMetrics(nodeName, provider)));
      },
    ],
  ]);
}

function kubeletMetrics(nodeName: string, provider: KubeletProvider): Family[] {
  let running = 0;
  for (const { status } of provider.pods()) if (status?.phase === 'Running') running++;
  return [
    {
      name: 'kubelet_node_name',
      type: 'gauge',
      help: "The node's name. The count is always 1.",
      samples: [{ labels: { node: nodeName }, value: 1 }],
    },
    {
      name: 'kubelet_running_pods',
      type: 'gauge',
      help: 'Number of pods that have a running pod sandbox',
      samples: [{ labels: {}, value: running }],
    },
  ];
}
