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

function processes({ usages }: Observed, pods: number): Figure[] {
  const figures: Figure[] = [];
  for (const [name, { cpuSeconds, peakBytes }] of usages.end) {
    const start = usages.start.get(name)?.cpuSeconds ?? 0;
    const running = usages.running.get(name)?.cpuSeconds ?? 0;
    figures.push(
      { group: 'CPU of a pod up to Running', name, unit: 'ms', value: ((running - start) * 1000) / pods },
      { group: 'CPU of the whole run', name, unit: 's', value: cpuSeconds - start },
      { group: 'peak memory (RSS)', name, unit: 'MB', value: peakBytes / 1e6 },
    );
  }
  return figures.sort((one, other) => (one.group < other.group ? -1 : one.group > other.group ? 1 : 0));
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
