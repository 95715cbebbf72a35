import type { SiteStats } from '@interlink/contract';

type SiteContainer = SiteStats['pods'][number]['containers'][number];

/** Of a container, a pod, the node or its kubelet. What nobody knows is undefined. */
export interface Consumption {
  /** CPU time since the start, ns. */
  readonly cpuNanoSeconds?: number | undefined;
  /** CPU use since the look before, in billionths of a core; undefined at the first look. */
  readonly cpuNanoCores?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly workingSetBytes?: number | undefined;
  readonly rssBytes?: number | undefined;
}

export interface ContainerUsage extends Consumption {
  readonly name: string;
  /** RFC 3339. */
  readonly startTime?: string | undefined;
}

export interface PodUsage {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly total: Consumption;
  readonly containers: readonly ContainerUsage[];
  readonly network?: { readonly rxBytes: number; readonly txBytes: number } | undefined;
}

export interface NodeUsage {
  /** When the site looked, ms since the epoch. */
  readonly time: number;
  readonly kubelet: Consumption;
  readonly podsTotal: Consumption;
  /** Pods and kubelet. */
  readonly total: Consumption;
  readonly pods: readonly PodUsage[];
}

/** What is carried from one look to the next. */
export interface UsageHistory {
  readonly time: number;
  /** CPU time by container, ns. */
  readonly seen: ReadonlyMap<string, number>;
  /** Of all pods that ever ran: the node's counter does not go back when one leaves. */
  readonly podsNanoSeconds: number;
  readonly kubeletNanoSeconds: number;
}

/** Of this process, which is the node's kubelet. */
export interface KubeletConsumption {
  readonly cpuNanoSeconds: number;
  readonly rssBytes: number;
}

/** The node's use of its resources by what the site says now and what it said before. */
export function nodeUsage(
  stats: SiteStats,
  own: KubeletConsumption,
  before: UsageHistory | undefined,
): { usage: NodeUsage; history: UsageHistory } {
  const parsed = Date.parse(stats.time);
  const time = Number.isNaN(parsed) ? Date.now() : parsed;
  const seconds = before === undefined ? 0 : (time - before.time) / 1000;
  const rate = (used: number | undefined) =>
    used !== undefined && seconds > 0 ? Math.round(used / seconds) : undefined;

  const seen = new Map<string, number>();
  let used = 0;
  const pods = stats.pods.map((pod): PodUsage => {
    const containers = pod.containers.map((container): ContainerUsage => {
      const key = `${pod.uid}/${container.name}`;
      const cpu = container.cpuUsageCoreNanoSeconds;
      const last = before?.seen.get(key) ?? 0;
      // Less than before: it was started anew in between.
      const delta = cpu === undefined ? undefined : cpu >= last ? cpu - last : cpu;
      if (cpu !== undefined) seen.set(key, cpu);
      used += delta ?? 0;
      return {
        name: container.name,
        startTime: container.startTime,
        ...memoryOf(container),
        cpuNanoSeconds: cpu,
        cpuNanoCores: rate(delta),
      };
    });
    const { uid, namespace, name, network } = pod;
    return { uid, namespace, name, network, containers, total: sum(containers) };
  });
  const podsNanoSeconds = (before?.podsNanoSeconds ?? 0) + used;
  const kubelet = {
    cpuNanoSeconds: own.cpuNanoSeconds,
    cpuNanoCores: rate(own.cpuNanoSeconds - (before?.kubeletNanoSeconds ?? 0)),
    memoryBytes: own.rssBytes,
    workingSetBytes: own.rssBytes,
    rssBytes: own.rssBytes,
  };
  const podsTotal = {
    ...emptyMemory,
    ...sum(pods.map(({ total }) => total)),
    cpuNanoSeconds: podsNanoSeconds,
    cpuNanoCores: rate(used),
  };
  return {
    usage: { time, kubelet, podsTotal, total: sum([kubelet, podsTotal]), pods },
    history: { time, seen, podsNanoSeconds, kubeletNanoSeconds: own.cpuNanoSeconds },
  };
}

const emptyMemory = { memoryBytes: 0, workingSetBytes: 0, rssBytes: 0 };

function memoryOf(container: SiteContainer): Consumption {
  return {
    memoryBytes: container.memoryUsageBytes,
    workingSetBytes: container.memoryWorkingSetBytes ?? container.memoryUsageBytes,
    rssBytes: container.memoryRssBytes,
  };
}

/** Of each field, of those parts that know it. */
function sum(parts: readonly Consumption[]): Consumption {
  const total = (field: keyof Consumption) => {
    const known = parts.map((part) => part[field]).filter((value) => value !== undefined);
    return known.length === 0 ? {} : { [field]: known.reduce((left, right) => left + right, 0) };
  };
  return {
    ...total('cpuNanoSeconds'),
    ...total('cpuNanoCores'),
    ...total('memoryBytes'),
    ...total('workingSetBytes'),
    ...total('rssBytes'),
  };
}
