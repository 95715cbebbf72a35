import type { Pod } from '@interlink/contract';
import type { Consumption, NodeUsage } from './usage.ts';

/** The answer of /stats/summary, as far as a site can tell: no file systems, no page faults. */
export function summaryOf(
  { time: ms, total, kubelet, podsTotal, pods }: NodeUsage,
  {
    nodeName,
    startTime,
    findPod,
  }: { nodeName: string; startTime: string; findPod: (namespace: string, name: string) => Pod | undefined },
): object {
  const time = new Date(ms).toISOString();
  return {
    node: {
      nodeName,
      startTime,
      systemContainers: [
        { name: 'kubelet', startTime, ...resources(kubelet, time) },
        { name: 'pods', startTime, ...resources(podsTotal, time) },
      ],
      ...resources(total, time),
    },
    pods: pods.map(({ uid, namespace, name, network, containers, total: ofPod }) => {
      const pod = findPod(namespace, name);
      const started = pod?.metadata.uid === uid ? pod.status?.startTime : undefined;
      return {
        podRef: { name, namespace, uid },
        startTime: started ?? containers.find((one) => one.startTime !== undefined)?.startTime ?? null,
        containers: containers.map((container) => ({
          name: container.name,
          startTime: container.startTime ?? null,
          ...resources(container, time),
        })),
        ...resources(ofPod, time),
        ...(network === undefined
          ? {}
          : { network: { time, ...interfaceOf(network), interfaces: [interfaceOf(network)] } }),
      };
    }),
  };
}

function resources(
  { cpuNanoSeconds, cpuNanoCores, memoryBytes, workingSetBytes, rssBytes }: Consumption,
  time: string,
): object {
  const cpu = { usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: cpuNanoSeconds };
  const memory = { usageBytes: memoryBytes, workingSetBytes, rssBytes };
  return {
    ...(cpuNanoSeconds === undefined ? {} : { cpu: { time, ...cpu } }),
    ...(workingSetBytes === undefined ? {} : { memory: { time, ...memory } }),
  };
}

function interfaceOf({ rxBytes, txBytes }: { rxBytes: number; txBytes: number }): object {
  return { name: 'eth0', rxBytes, txBytes };
}
