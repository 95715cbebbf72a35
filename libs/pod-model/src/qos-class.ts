import type { Container, Pod } from '@interlink/contract';
import { compareQuantity, parseQuantity, zeroQuantity } from './quantity.ts';
import { podLevelResources } from './resources.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type Resources = NonNullable<Container['resources']>;
const counted = ['cpu', 'memory'] as const;

/** The quality-of-service class as the kube-apiserver computes it: pod-level resources, where set, speak for all containers. */
export function qosClass(pod: Pod): QosClass {
  const podLevel = podLevelResources(pod);
  const all = podLevel ? [podLevel] : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(resourcesOf);
  const isSet = (resources: Resources) =>
    counted.some((name) => isPositive(resources.requests?.[name]) || isPositive(resources.limits?.[name]));
  if (!all.some(isSet)) return 'BestEffort';
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function resourcesOf(container: Container): Resources {
  return container.resources ?? {};
}

function isGuaranteed({ requests, limits }: Resources): boolean {
  return counted.every((name) => {
    const limit = limits?.[name];
    // The kube-apiserver fills an absent request from the limit.
    const request = requests?.[name] ?? limit;
    if (limit === undefined || request === undefined || !isPositive(limit)) return false;
    return compareQuantity(parseQuantity(request), parseQuantity(limit)) === 0;
  });
}

function isPositive(amount: string | number | undefined): boolean {
  return amount !== undefined && compareQuantity(parseQuantity(amount), zeroQuantity) > 0;
}
