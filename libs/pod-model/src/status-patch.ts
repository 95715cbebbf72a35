import type { Pod, PodCondition } from '@interlink/contract';
import type { OwnPodStatus } from './kube-status.ts';

const scalarFields = [
  'phase',
  'reason',
  'message',
  'startTime',
  'podIP',
  'hostIP',
  'qosClass',
  'observedGeneration',
] as const;
/** Lists that the kube-apiserver merges entry by entry unless told to replace them. */
const addressFields = ['podIPs', 'hostIPs'] as const;
const statusFields = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

/**
 * What of `next` differs from the Pod at hand, as the `status` of a strategic merge patch; undefined = nothing. Only
 * changed conditions are in it, so conditions that others write meanwhile survive.
 */
export function statusPatch(pod: Pod, next: OwnPodStatus): Record<string, unknown> | undefined {
  const before: Readonly<Record<string, unknown>> = pod.status ?? {};
  const patch: Record<string, unknown> = {};
  for (const field of scalarFields) {
    if (!same(before[field], next[field])) patch[field] = next[field] ?? null;
  }
  for (const field of addressFields) {
    if (!same(before[field], next[field])) patch[field] = [{ $patch: 'replace' }, ...(next[field] ?? [])];
  }
  for (const field of statusFields) {
    if (!same(before[field] ?? [], next[field] ?? [])) patch[field] = next[field] ?? [];
  }
  const conditions = changedConditions(pod.status?.conditions ?? [], next.conditions);
  if (conditions.length > 0) patch['conditions'] = conditions;
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function changedConditions(before: readonly PodCondition[], next: readonly PodCondition[]): PodCondition[] {
  return next.flatMap((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const isSame =
      old &&
      (['status', 'reason', 'message', 'lastTransitionTime'] as const).every((key) => same(old[key], condition[key]));
    if (isSame) return [];
    // An entry is merged into the old one: what it no longer has must be said.
    return [{ ...condition, reason: condition.reason ?? null, message: condition.message ?? null }];
  });
}

/** Deep equality in which null, undefined and the empty string are all "unset", as they are for the kube-apiserver. */
function same(a: unknown, b: unknown): boolean {
  if (isUnset(a) || isUnset(b)) return isUnset(a) && isUnset(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left: Readonly<Record<string, unknown>> = { ...a };
  const right: Readonly<Record<string, unknown>> = { ...b };
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]));
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
