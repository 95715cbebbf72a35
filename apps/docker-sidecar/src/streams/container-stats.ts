import type { SiteStats } from '@interlink/contract';
import { z } from 'zod';
import type { ContainerFact } from '../facts.ts';

export type PodStats = SiteStats['pods'][number];
type ContainerStats = PodStats['containers'][number];

const count = z.number().nonnegative();

/** Of a container that has ended in between the engine says next to nothing. */
const statsSchema = z.looseObject({
  cpu_stats: z.looseObject({ cpu_usage: z.looseObject({ total_usage: count }).nullish() }).nullish(),
  memory_stats: z.looseObject({ usage: count.optional(), stats: z.record(z.string(), z.number()).nullish() }).nullish(),
  networks: z.record(z.string(), z.looseObject({ rx_bytes: count, tx_bytes: count })).nullish(),
});

/** @param measured the engine's own words */
export function containerStats({ name, startedAt }: ContainerFact, measured: unknown): ContainerStats {
  const { cpu_stats: cpu, memory_stats: memory } = statsSchema.parse(measured);
  const usage = memory?.usage;
  // Names of cgroup v2, and of v1.
  const cache = memory?.stats?.['inactive_file'] ?? memory?.stats?.['total_inactive_file'] ?? 0;
  const anonymous = memory?.stats?.['anon'] ?? memory?.stats?.['total_rss'];
  const cpuNanoSeconds = cpu?.cpu_usage?.total_usage;
  return {
    name,
    ...(startedAt === undefined ? {} : { startTime: startedAt }),
    ...(cpuNanoSeconds === undefined ? {} : { cpuUsageCoreNanoSeconds: cpuNanoSeconds }),
    ...(usage === undefined ? {} : { memoryUsageBytes: usage, memoryWorkingSetBytes: Math.max(0, usage - cache) }),
    ...(anonymous === undefined ? {} : { memoryRssBytes: anonymous }),
  };
}

/** Of a sandbox: the network is the pod's, not its containers'. undefined where it has none of its own. */
export function networkStats(measured: unknown): PodStats['network'] {
  const { networks } = statsSchema.parse(measured);
  if (networks === null || networks === undefined) return undefined;
  const sum = (key: 'rx_bytes' | 'tx_bytes') =>
    Object.values(networks).reduce((total, network) => total + network[key], 0);
  return { rxBytes: sum('rx_bytes'), txBytes: sum('tx_bytes') };
}
