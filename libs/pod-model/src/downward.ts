import { InterlinkError, type Container, type Pod } from '@interlink/contract';
import { ownValue } from './own-value.ts';
import { divideQuantity, parseQuantity, zeroQuantity, type Quantity } from './quantity.ts';
import { podLevelResources } from './resources.ts';

type Amounts = Readonly<Record<string, string | number>>;

/** Known only where the pod runs, once it has an address; until then such a reference stays as it is. */
const startFieldPaths: ReadonlySet<string> = new Set([
  'status.podIP',
  'status.podIPs',
  'status.hostIP',
  'status.hostIPs',
]);

export function isStartFieldPath(fieldPath: string): boolean {
  return startFieldPaths.has(fieldPath);
}

/** The addresses that containers of the pod see; the first of each is the primary one. */
export interface PodAddresses {
  podIPs: readonly string[];
  hostIPs: readonly string[];
}

/** The value of one of the `status.*` paths; undefined for every other path. */
export function startFieldValue(fieldPath: string, { podIPs, hostIPs }: PodAddresses): string | undefined {
  if (fieldPath === 'status.podIP') return podIPs[0] ?? '';
  if (fieldPath === 'status.podIPs') return podIPs.join(',');
  if (fieldPath === 'status.hostIP') return hostIPs[0] ?? '';
  if (fieldPath === 'status.hostIPs') return hostIPs.join(',');
  return undefined;
}

/**
 * The text that a fieldRef stands for. An absent label or annotation is the empty string, as in the kubelet. Throws
 * `Invalid`, naming `field`, for a path that is unknown or known only at the start of the pod.
 */
export function fieldValue(pod: Pod, fieldPath: string, nodeName: string, field: string): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/s.exec(fieldPath);
  if (subscript !== null) {
    const [, map, key = ''] = subscript;
    return ownValue(map === 'labels' ? pod.metadata.labels : pod.metadata.annotations, key) ?? '';
  }
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return formatStringMap(pod.metadata.labels ?? {});
    case 'metadata.annotations':
      return formatStringMap(pod.metadata.annotations ?? {});
    case 'spec.nodeName':
      return nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    default:
      throw new InterlinkError('Invalid', `fieldPath "${fieldPath}" is not supported here`, { field });
  }
}

export interface ResourceFieldRef {
  containerName?: string | null | undefined;
  resource: string;
  divisor?: string | number | null | undefined;
}

/**
 * The whole number that a resourceFieldRef stands for, rounded up. A limit that is unset or zero is that of the pod as
 * a whole, else the node's allocatable amount where that is given, else 0. Throws `Invalid`, naming `field`.
 */
export function resourceFieldValue(
  pod: Pod,
  ref: ResourceFieldRef,
  own: Container | undefined,
  allocatable: Amounts | undefined,
  field: string,
): string {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const container = ref.containerName ? all.find(({ name }) => name === ref.containerName) : own;
  if (container === undefined) {
    throw new InterlinkError('Invalid', `there is no container "${ref.containerName ?? ''}"`, { field });
  }
  const [, side, resource = ''] = /^(limits|requests)\.(.+)$/.exec(ref.resource) ?? [];
  if (side === undefined) throw new InterlinkError('Invalid', `resource "${ref.resource}" is not supported`, { field });
  const stated = ownValue(side === 'limits' ? container.resources?.limits : container.resources?.requests, resource);
  try {
    let amount = stated === undefined ? zeroQuantity : parseQuantity(stated);
    if (side === 'limits' && amount.nano === 0n) amount = defaultLimit(pod, resource, allocatable);
    return divideQuantity(amount, parseQuantity(ref.divisor ?? '1')).toString();
  } catch (cause) {
    throw new InterlinkError('Invalid', cause instanceof Error ? cause.message : String(cause), { field, cause });
  }
}

function defaultLimit(pod: Pod, resource: string, allocatable: Amounts | undefined): Quantity {
  const ofPod = parseQuantity(ownValue(podLevelResources(pod)?.limits, resource) ?? '0');
  return ofPod.nano === 0n ? parseQuantity(ownValue(allocatable, resource) ?? '0') : ofPod;
}

/** Labels or annotations as a downward API file: `key="value"` lines, sorted by key, values quoted as Go does. */
export function formatStringMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${goQuote(map[key] ?? '')}`)
    .join('\n');
}

const goEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function goQuote(text: string): string {
  const quoted = text.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
    const known = goEscapes[char];
    if (known !== undefined) return known;
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return `"${quoted}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
