import { z } from 'zod';
import { taintId, type NodeCondition, type Taint } from './node-object.ts';

const text = z.string().nullish();
export const nodeSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z
    .looseObject({ taints: z.array(z.looseObject({ key: z.string(), value: text, effect: z.string() })).nullish() })
    .default({}),
  status: z
    .looseObject({
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: text,
            message: text,
            lastTransitionTime: text,
          }),
        )
        .nullish(),
      declaredFeatures: z.array(z.string()).nullish(),
    })
    .default({}),
});

export type KubeNode = z.infer<typeof nodeSchema>;

/** Which taints we have set, so that those of others (cordon, cloud) are never touched. */
export const taintsAnnotation = 'interlink.eu/taints';

/** Labels and taints that are not as they should be; undefined when all are. */
export function metadataPatch(
  known: KubeNode,
  labelsWanted: Record<string, string>,
  ours: readonly Taint[],
): object | undefined {
  const labels = Object.entries(labelsWanted)
    .filter(([key, value]) => (known.metadata.labels?.[key] ?? '') !== value)
    .map(([key, value]) => [key, value === '' ? null : value] as const);
  const set = new Set((known.metadata.annotations?.[taintsAnnotation] ?? '').split(','));
  const wanted = new Set(ours.map(taintId));
  const present = known.spec.taints ?? [];
  const others = present.filter((taint) => !set.has(taintId(id(taint))) && !wanted.has(taintId(id(taint))));
  const taints = [...others, ...ours];
  const ids = (list: readonly { key: string; value?: string | null | undefined; effect: string }[]) =>
    list
      .map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`)
      .sort()
      .join();
  const annotation = ours.map(taintId).join(',');
  const sameTaints = ids(taints) === ids(present);
  if (labels.length === 0 && sameTaints && known.metadata.annotations?.[taintsAnnotation] === annotation)
    return undefined;
  return {
    metadata: { labels: Object.fromEntries(labels), annotations: { [taintsAnnotation]: annotation } },
    ...(sameTaints ? {} : { spec: { taints } }),
  };
}

export interface WantedStatus {
  readonly name: string;
  readonly resources: Record<string, string>;
  readonly conditions: readonly NodeCondition[];
  readonly address: string;
  readonly kubeletPort: number;
  readonly version: string;
  /** False: the API server is older than the field and drops it, which is no difference worth a patch. */
  readonly areFeaturesKept: boolean;
}

/** What the API server may use of this kubelet: it hands kubectl's WebSockets on instead of translating them to SPDY. */
export const declaredFeatures = ['ExtendWebSocketsToKubelet'];

/** The node's status as a strategic merge patch; undefined when nothing differs. */
export function nodeStatusPatch(known: KubeNode, wanted: WantedStatus): object | undefined {
  const { name, resources, address, version, kubeletPort } = wanted;
  const status = {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: { ...unknownNodeInfo, kubeletVersion: `v${version}-interlink` },
  };
  const conditions = changedConditions(wanted.conditions, known.status.conditions ?? []);
  const gone = Object.keys({ ...record(known.status['capacity']) }).filter((name) => resources[name] === undefined);
  const compared = wanted.areFeaturesKept ? { ...status, declaredFeatures } : status;
  if (gone.length === 0 && conditions.length === 0 && contains(known.status, compared)) return undefined;
  const dropped = Object.fromEntries(gone.map((resource) => [resource, null]));
  return {
    ...status,
    declaredFeatures,
    capacity: { ...resources, ...dropped },
    allocatable: { ...resources, ...dropped },
    conditions,
  };
}

/** All fields are mandatory, and none means anything for a node that is not a machine. */
const unknownNodeInfo = {
  architecture: 'virtual-kubelet',
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  machineID: '',
  operatingSystem: 'linux',
  osImage: 'Interlink',
  systemUUID: '',
};

function id({ key, effect }: { key: string; effect: string }): { key: string; effect: string } {
  return { key, effect };
}

function changedConditions(
  wanted: readonly NodeCondition[],
  known: NonNullable<KubeNode['status']['conditions']>,
): object[] {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return wanted.flatMap((condition) => {
    const old = known.find(({ type }) => type === condition.type);
    const { status, reason, message } = condition;
    if (old?.status === status && old.reason === reason && old.message === message) return [];
    return [
      {
        ...condition,
        lastHeartbeatTime: now,
        lastTransitionTime: old?.status === status ? (old.lastTransitionTime ?? now) : now,
      },
    ];
  });
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Whether everything in `part` stands in `whole` already. */
function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part || (part === '' && whole === undefined);
  if (Array.isArray(part))
    return (
      Array.isArray(whole) && part.length === whole.length && part.every((item, index) => contains(whole[index], item))
    );
  return Object.entries(part).every(([key, value]) => contains(record(whole)[key], value));
}
