import { containerSchema, type Container, type Pod } from '@interlink/contract';
import { isNativeSidecar } from './container-roles.ts';
import { addQuantity, compareQuantity, parseQuantity, type Quantity } from './quantity.ts';

/** Amounts by resource name: `cpu`, `memory`, `nvidia.com/gpu` ... */
export type Resources = Readonly<Record<string, Quantity>>;

type Amounts = Readonly<Record<string, string | number>> | null | undefined;
type Side = 'requests' | 'limits';

/** What the scheduler reserves for the pod. Throws `Invalid` for a malformed quantity. */
export function podRequests(pod: Pod): Resources {
  return sum(effective(pod, 'requests'), overhead(pod));
}

/** The most that the pod may use at once, for the resources that are limited at all. Throws `Invalid` as above. */
export function podLimits(pod: Pod): Resources {
  const limits = effective(pod, 'limits');
  const extra = Object.entries(overhead(pod)).filter(([name]) => Object.hasOwn(limits, name));
  return sum(limits, Object.fromEntries(extra));
}

/** `spec.resources`, which replaces the sum of the containers; undefined where the pod sets none. */
export function podLevelResources(pod: Pod): Container['resources'] {
  const parsed = containerSchema.shape.resources.safeParse(pod.spec['resources']);
  const resources = parsed.data ?? {};
  const isSet = Object.keys({ ...resources.requests, ...resources.limits }).length > 0;
  return isSet ? resources : undefined;
}

/**
 * App containers and native sidecars run side by side, so they add up. An ordinary init container runs alone, beside
 * the sidecars that come before it: the largest of those sums counts if it is more.
 */
function effective(pod: Pod, side: Side): Resources {
  let together = pod.spec.containers.reduce<Resources>((total, one) => sum(total, amounts(one, side)), {});
  let sidecars: Resources = {};
  let initPeak: Resources = {};
  for (const container of pod.spec.initContainers ?? []) {
    const own = amounts(container, side);
    if (isNativeSidecar(container)) {
      together = sum(together, own);
      sidecars = sum(sidecars, own);
      initPeak = largest(initPeak, sidecars);
    } else initPeak = largest(initPeak, sum(sidecars, own));
  }
  return { ...largest(together, initPeak), ...parseAll(podLevelResources(pod)?.[side]) };
}

function amounts(container: Container, side: Side): Resources {
  return parseAll(container.resources?.[side]);
}

function overhead(pod: Pod): Resources {
  const parsed = containerSchema.shape.resources.safeParse({ requests: pod.spec['overhead'] });
  return parseAll(parsed.data?.requests);
}

function parseAll(map: Amounts): Resources {
  return Object.fromEntries(Object.entries(map ?? {}).map(([name, amount]) => [name, parseQuantity(amount)]));
}

function sum(a: Resources, b: Resources): Resources {
  return merge(a, b, addQuantity);
}

function largest(a: Resources, b: Resources): Resources {
  return merge(a, b, (x, y) => (compareQuantity(x, y) >= 0 ? x : y));
}

function merge(a: Resources, b: Resources, both: (x: Quantity, y: Quantity) => Quantity): Resources {
  const merged = new Map(Object.entries(a));
  for (const [name, amount] of Object.entries(b)) {
    const other = merged.get(name);
    merged.set(name, other === undefined ? amount : both(other, amount));
  }
  return Object.fromEntries(merged);
}
