import type { Container, Pod } from '@interlink/contract';
import { isNativeSidecar, parseQuantity, podLimits, toInteger } from '@interlink/pod-model';
import type { HostConfig } from 'dockerode';
import { z } from 'zod';
import { deviceIds, type DevicesConfig } from './device-config.ts';

/** Devices that a pod, or one container of it, has: ids by resource. */
export type Allocation = Readonly<Record<string, readonly string[]>>;

const labelSchema = z.record(z.string(), z.array(z.string()));

/** As the label of the sandbox has it. */
export function formatAllocation(allocation: Allocation): string {
  return JSON.stringify(allocation);
}

/** What a label says; nothing where there is none, or none of ours. */
export function parseAllocation(text: string): Allocation {
  try {
    return labelSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** How many devices of each resource the pod takes at most at once. */
export function deviceNeeds(pod: Pod, config: DevicesConfig): Record<string, number> {
  const limits = podLimits(pod);
  const needs = Object.keys(config).map((resource): [string, number] => {
    const amount = limits[resource];
    return [resource, amount === undefined ? 0 : Number(toInteger(amount))];
  });
  return Object.fromEntries(needs.filter(([, count]) => count > 0));
}

/** Picks free devices, first ones first. @returns the resource that there is not enough of, and how many are free. */
export function pick(
  needs: Readonly<Record<string, number>>,
  config: DevicesConfig,
  taken: Iterable<Allocation>,
): Allocation | { short: string; free: number } {
  const used = new Map<string, Set<string>>();
  for (const allocation of taken) {
    for (const [resource, ids] of Object.entries(allocation)) {
      const known = used.get(resource) ?? new Set<string>();
      for (const id of ids) known.add(id);
      used.set(resource, known);
    }
  }
  const picked: Record<string, string[]> = {};
  for (const [resource, count] of Object.entries(needs)) {
    const all = config[resource];
    const free = (all === undefined ? [] : deviceIds(all)).filter((id) => !used.get(resource)?.has(id));
    if (free.length < count) return { short: resource, free: free.length };
    picked[resource] = free.slice(0, count);
  }
  return picked;
}

/**
 * The part of the pod's devices that is one container's. Containers that run side by side (native sidecars, then the
 * app containers) have theirs one after the other; an ordinary init container borrows those of what has not begun yet.
 */
export function devicesOf(pod: Pod, container: Container, allocation: Allocation): Allocation {
  const inits = pod.spec.initContainers ?? [];
  const sidecars = inits.filter(isNativeSidecar);
  const own = inits.findIndex(({ name }) => name === container.name);
  const isOrdinaryInit = own >= 0 && !isNativeSidecar(container);
  const before = isOrdinaryInit
    ? inits.slice(0, own).filter(isNativeSidecar)
    : precedents([...sidecars, ...pod.spec.containers], container.name);
  const parts = Object.entries(allocation).map(([resource, ids]): [string, readonly string[]] => {
    const start = before.reduce((sum, other) => sum + countOf(other, resource), 0);
    return [resource, ids.slice(start, start + countOf(container, resource))];
  });
  return Object.fromEntries(parts.filter(([, ids]) => ids.length > 0));
}

/** How the engine is told of them. */
export function deviceSpec(allocation: Allocation, config: DevicesConfig): HostConfig {
  const nodes: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[] = [];
  const requests: { Driver: string; DeviceIDs: string[]; Capabilities: string[][] }[] = [];
  for (const [resource, ids] of Object.entries(allocation)) {
    const kind = config[resource];
    if (kind === undefined) continue;
    if ('driver' in kind) requests.push({ Driver: kind.driver, DeviceIDs: [...ids], Capabilities: [['gpu']] });
    else nodes.push(...ids.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })));
  }
  return {
    ...(nodes.length > 0 ? { Devices: nodes } : {}),
    ...(requests.length > 0 ? { DeviceRequests: requests } : {}),
  };
}

function precedents(containers: readonly Container[], name: string): readonly Container[] {
  const at = containers.findIndex((other) => other.name === name);
  return containers.slice(0, Math.max(at, 0));
}

function countOf({ resources }: Container, resource: string): number {
  const amount = resources?.limits?.[resource];
  return amount === undefined ? 0 : Number(toInteger(parseQuantity(amount)));
}
