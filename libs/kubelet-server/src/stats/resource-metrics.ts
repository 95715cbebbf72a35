import type { Family, Sample } from './exposition.ts';
import type { Consumption, ContainerUsage, NodeUsage, PodUsage } from './usage.ts';

/** The metrics of /metrics/resource, which metrics-server reads; undefined usage: the site could not be asked. */
export function resourceMetrics(usage: NodeUsage | undefined): Family[] {
  const failed = usage === undefined ? 1 : 0;
  const error: Family = {
    name: 'resource_scrape_error',
    type: 'gauge',
    help: '1 if there was an error while getting container metrics, 0 otherwise',
    samples: [{ labels: {}, value: failed }],
  };
  if (usage === undefined) return [error];
  const { time, total, pods } = usage;
  const ofNode = (value: number | undefined): Sample[] => [{ labels: {}, value, time }];
  const ofPods = (valueOf: (total: Consumption) => number | undefined): Sample[] =>
    pods.map(({ namespace, name, total: ofPod }) => ({
      labels: { pod: name, namespace },
      value: valueOf(ofPod),
      time,
    }));
  const ofContainers = (
    valueOf: (container: ContainerUsage) => number | undefined,
    at: number | undefined = time,
  ): Sample[] =>
    pods.flatMap((pod) =>
      pod.containers.map((container) => ({ labels: labelsOf(pod, container), value: valueOf(container), time: at })),
    );
  return [
    counter('container_cpu_usage_seconds_total', 'container', ofContainers(cpuSeconds)),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      ofContainers(workingSet),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds',
      pods.flatMap((pod) =>
        pod.containers.map((container) => ({ labels: labelsOf(pod, container), value: startSeconds(container) })),
      ),
    ),
    counter('node_cpu_usage_seconds_total', 'node', ofNode(cpuSeconds(total))),
    gauge('node_memory_working_set_bytes', 'Current working set of the node in bytes', ofNode(total.workingSetBytes)),
    counter('pod_cpu_usage_seconds_total', 'pod', ofPods(cpuSeconds)),
    gauge('pod_memory_working_set_bytes', 'Current working set of the pod in bytes', ofPods(workingSet)),
    error,
  ];
}

export function cpuSeconds({ cpuNanoSeconds }: Consumption): number | undefined {
  return cpuNanoSeconds === undefined ? undefined : cpuNanoSeconds / 1e9;
}

/** Undefined for none, and for what is no time. */
export function startSeconds({ startTime }: ContainerUsage): number | undefined {
  const seconds = Date.parse(startTime ?? '') / 1000;
  return seconds > 0 ? seconds : undefined;
}

function workingSet({ workingSetBytes }: Consumption): number | undefined {
  return workingSetBytes;
}

function labelsOf({ namespace, name }: PodUsage, container: ContainerUsage): Record<string, string> {
  return { container: container.name, pod: name, namespace };
}

function counter(name: string, of: string, samples: Sample[]): Family {
  return { name, type: 'counter', help: `Cumulative cpu time consumed by the ${of} in core-seconds`, samples };
}

function gauge(name: string, help: string, samples: Sample[]): Family {
  return { name, type: 'gauge', help, samples };
}
