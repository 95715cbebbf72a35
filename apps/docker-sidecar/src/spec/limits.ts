import type { Container, Pod } from '@interlink/contract';
import { parseQuantity, podLevelResources, toInteger, toMilli } from '@interlink/pod-model';

type Amount = string | number | undefined;

/** What the engine takes at the making of a container and, by `update`, while it runs. */
export interface Limits {
  readonly Memory: number;
  readonly MemorySwap: number;
  /** µs of a CPU in each 100 ms; unlike the engine's NanoCpus it may be more than the engine has CPUs. */
  readonly CpuQuota: number;
  readonly CpuShares: number;
}

const minShares = 2;
const maxShares = 262_144;

/**
 * A container's limits, 0 = none; those of the pod as a whole bound a container that has none of its own. Shares are
 * by request, as the kubelet has it: a container that asks for nothing gets what others leave.
 */
export function limitsOf(pod: Pod, container: Container): Limits {
  const ofPod = podLevelResources(pod);
  const limit = (name: string): Amount => container.resources?.limits?.[name] ?? ofPod?.limits?.[name];
  const bytes = limit('memory');
  const memory = bytes === undefined ? 0 : Number(toInteger(parseQuantity(bytes)));
  const cpu = limit('cpu');
  return {
    Memory: memory,
    // Swap equal to memory means none: the limit is a limit.
    MemorySwap: memory,
    CpuQuota: cpu === undefined ? 0 : quotaOf(cpu),
    CpuShares: shares(container.resources?.requests?.['cpu'] ?? container.resources?.limits?.['cpu']),
  };
}

/**
 * What to tell the engine of a container whose resources have changed in place; undefined: nothing has. A limit that was
 * there stays one: the kube-apiserver lets none be removed, and the engine would take 0 as "leave it as it is".
 */
export function resizeOf(before: Limits, after: Limits): Limits | undefined {
  // An engine that cannot limit swap says so in its own way.
  const same = (['Memory', 'CpuQuota', 'CpuShares'] as const).every((key) => before[key] === after[key]);
  return same ? undefined : after;
}

/** As the kubelet: never less than 1 ms. */
export function quotaOf(cpu: string | number): number {
  return Math.max(1_000, Number(toMilli(parseQuantity(cpu))) * 100);
}

function shares(cpu: Amount): number {
  if (cpu === undefined) return minShares;
  const wanted = Number((toMilli(parseQuantity(cpu)) * 1024n) / 1000n);
  return Math.min(maxShares, Math.max(minShares, wanted));
}
