import type { Curve, Figure, Measured } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { kubeRequestsOfPods, madeBetween, total, type RequestCounts } from './request-counts.ts';
import type { Created, Observed } from './stages.ts';
import { cumulative, largest, percentile } from './statistics.ts';

/** hop -> whose metrics tell of it, and what the other side is called there */
const hops = [
  ['vk-node to interlink-api', 'vkNode', ['interlink-api']],
  ['interlink-api to sidecar', 'api', ['sidecar']],
  ['sidecar to site', 'sidecar', ['site', 'engine']],
  ['vk-node to kube-apiserver', 'vkNode', ['kube-apiserver']],
] as const;

/** The arithmetic on what one run saw. */
export function measure(seen: Observed, options: BenchOptions): Measured {
  return {
    figures: [
      ...latencies(seen),
      ...stages(seen),
      ...idle(seen, options.idleSeconds),
      ...writes(seen, options.pods),
      ...processes(seen, options.pods),
    ],
    curves: curves(seen),
  };
}

function latencies({ single, created }: Observed): Figure[] {
  return [
    ...spread('one pod, create to Running', 'ms', waits(single)),
    ...spread(
      'each pod of a batch, create to Running',
      's',
      waits(created).map((ms) => ms / 1000),
    ),
  ];
}

function stages(seen: Observed): Figure[] {
  const { created, createdAgain, ended, deleted, deletedAfterEnd, raw } = seen;
  const group = 'a batch';
  const seconds = (name: string, moments: readonly number[], from: number): Figure => ({
    group,
    name,
    unit: 's',
    value: (largest(moments) - from) / 1000,
  });
  const chain = seconds('all Running, from the first create', created.runningAt, firstOf(created));
  const bare = seconds('the same writes by one bare client', raw.runningAt, raw.startedAt);
  return [
    seconds('all created', created.createdAt, firstOf(created)),
    chain,
    bare,
    { group, name: 'all Running, ratio to the bare client', unit: 'x', value: chain.value / bare.value },
    seconds('all Running, second batch', createdAgain.runningAt, firstOf(createdAgain)),
    seconds('all ends visible, from the moment of the ends', ended.endedAt, ended.askedAt),
    seconds('all deleted while they ran', deleted.deletedAt, deleted.startedAt),
    seconds('all deleted after they ended', deletedAfterEnd.deletedAt, deletedAfterEnd.startedAt),
  ];
}

function idle({ counts }: Observed, seconds: number): Figure[] {
  if (seconds === 0) return [];
  return hops.map(([name, service, peers]) => {
    const made = madeBetween(counts.idle[service], counts.idled[service]);
    const sum = peers.reduce((so, peer) => so + total(made, peer), 0);
    return { group: 'requests while all pods idle', name, unit: '/s', value: sum / seconds };
  });
}

/** Two kinds of life: deleted while it runs, and to its own end. */
function writes({ counts }: Observed, pods: number): Figure[] {
  const perPod = (group: string, before: RequestCounts, after: RequestCounts): Figure[] =>
    kubeRequestsOfPods(madeBetween(before, after)).map(([name, count]) => ({
      group,
      name,
      unit: '/pod',
      value: count / pods,
    }));
  return [
    ...perPod('vk-node to kube-apiserver, a pod deleted while it runs', counts.start.vkNode, counts.deleted.vkNode),
    ...perPod('vk-node to kube-apiserver, a pod up to its own end', counts.deleted.vkNode, counts.ended.vkNode),
  ];
}

/** Unlike times, CPU hardly depends on what else the machine does. */
function processes({ usages, peaks }: Observed, pods: number): Figure[] {
  const used = (group: string, [before, after]: Observed['usages']['raw']): Figure[] => {
    const each = [...after].map(([name, { cpuSeconds }]) => {
      const seconds = cpuSeconds - (before.get(name)?.cpuSeconds ?? NaN);
      return { group, name, unit: 'ms', value: (seconds * 1000) / pods };
    });
    return [...each, { group, name: 'sum', unit: 'ms', value: each.reduce((sum, { value }) => sum + value, 0) }];
  };
  return [
    ...used('CPU of one pod: create to Running', usages.create),
    ...used('CPU of one pod: create to Running by one bare client', usages.raw),
    ...used('CPU of one pod: its end', usages.end),
    ...used('CPU of one pod: delete while it runs', usages.delete),
    ...[...peaks].map(([name, { peakBytes }]) => ({
      group: 'peak memory (RSS)',
      name,
      unit: 'MB',
      value: peakBytes / 1e6,
    })),
  ];
}

function curves({ created, ended, deleted, raw }: Observed): Curve[] {
  const start = firstOf(created);
  return [
    { panel: 'create', name: 'created', points: cumulative(created.createdAt, start) },
    { panel: 'create', name: 'running', points: cumulative(created.runningAt, start) },
    { panel: 'create', name: 'bare client', points: cumulative(raw.runningAt, raw.startedAt) },
    { panel: 'end', name: 'ended', points: cumulative(ended.endedAt, ended.askedAt) },
    { panel: 'delete', name: 'deleted', points: cumulative(deleted.deletedAt, deleted.startedAt) },
  ];
}

function spread(group: string, unit: string, sample: readonly number[]): Figure[] {
  const parts = [
    ['p50', 0.5],
    ['p95', 0.95],
    ['max', 1],
  ] as const;
  return parts.map(([name, part]) => ({ group, name, unit, value: percentile(sample, part) }));
}

function waits({ createdAt, runningAt }: Created): number[] {
  return createdAt.map((moment, index) => (runningAt[index] ?? NaN) - moment);
}

function firstOf({ createdAt }: Created): number {
  return -largest(createdAt.map((moment) => -moment));
}
