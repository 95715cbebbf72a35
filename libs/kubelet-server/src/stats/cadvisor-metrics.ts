import type { Pod } from '@interlink/contract';
import type { Family, Sample } from './exposition.ts';
import { cpuSeconds, startSeconds } from './resource-metrics.ts';
import type { ContainerUsage, NodeUsage, PodUsage } from './usage.ts';

/** Those of cAdvisor's metrics that dashboards are made of, with its labels. */
export function cadvisorMetrics(
  usage: NodeUsage | undefined,
  findPod: (namespace: string, name: string) => Pod | undefined,
): Family[] {
  const failed: Family = {
    name: 'container_scrape_error',
    type: 'gauge',
    help: '1 if there was an error while getting container metrics, 0 otherwise',
    samples: [{ labels: {}, value: usage === undefined ? 1 : 0 }],
  };
  if (usage === undefined) return [failed];
  const { time } = usage;
  const containers = usage.pods.flatMap((pod) => {
    const images = imagesOf(findPod(pod.namespace, pod.name), pod.uid);
    return pod.containers.map((container) => ({
      container,
      labels: labelsOf(pod, container, images.get(container.name)),
    }));
  });
  const each = (
    name: string,
    type: Family['type'],
    help: string,
    valueOf: (container: ContainerUsage) => number | undefined,
    more: Record<string, string> = {},
  ): Family => ({
    name,
    type,
    help,
    samples: containers.map(({ container, labels }) => ({
      labels: { ...labels, ...more },
      value: valueOf(container),
      time,
    })),
  });
  const network = (
    name: string,
    help: string,
    valueOf: (network: NonNullable<PodUsage['network']>) => number,
  ): Family => ({
    name,
    type: 'counter',
    help,
    samples: usage.pods.flatMap((pod): Sample[] =>
      pod.network === undefined
        ? []
        : [{ labels: { ...labelsOf(pod), interface: 'eth0' }, value: valueOf(pod.network), time }],
    ),
  });
  return [
    each('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.', cpuSeconds, {
      cpu: 'total',
    }),
    each('container_last_seen', 'gauge', 'Last time a container was seen by the exporter', () =>
      Math.floor(time / 1000),
    ),
    each('container_memory_rss', 'gauge', 'Size of RSS in bytes.', ({ rssBytes }) => rssBytes),
    each(
      'container_memory_usage_bytes',
      'gauge',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      ({ memoryBytes }) => memoryBytes,
    ),
    each(
      'container_memory_working_set_bytes',
      'gauge',
      'Current working set in bytes.',
      ({ workingSetBytes }) => workingSetBytes,
    ),
    network('container_network_receive_bytes_total', 'Cumulative count of bytes received', ({ rxBytes }) => rxBytes),
    network(
      'container_network_transmit_bytes_total',
      'Cumulative count of bytes transmitted',
      ({ txBytes }) => txBytes,
    ),
    failed,
    each(
      'container_start_time_seconds',
      'gauge',
      'Start time of the container since unix epoch in seconds.',
      startSeconds,
    ),
  ];
}

interface Image {
  readonly image: string;
  readonly containerID: string;
}

function imagesOf(pod: Pod | undefined, uid: string): ReadonlyMap<string, Image> {
  if (pod?.metadata.uid !== uid) return new Map();
  const { containerStatuses, initContainerStatuses } = pod.status ?? {};
  return new Map(
    [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].map(({ name, image, containerID }) => [
      name,
      { image, containerID: (containerID ?? '').replace(/^[^:]*:\/\//, '') },
    ]),
  );
}

/** Without a container: those of the pod's sandbox, which has the network. */
function labelsOf(
  { uid, namespace, name: pod }: PodUsage,
  container?: ContainerUsage,
  known?: Image,
): Record<string, string> {
  const id = known?.containerID ?? '';
  return {
    container: container?.name ?? '',
    // cAdvisor's is the cgroup's path; at a site nobody knows it, but it must tell containers apart.
    id: `/kubepods/pod${uid}${container === undefined ? '' : `/${id || container.name}`}`,
    image: known?.image ?? '',
    name: id,
    namespace,
    pod,
  };
}
