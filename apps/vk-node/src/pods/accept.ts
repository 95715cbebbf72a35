import type { Pod, Toleration } from '@interlink/contract';

/** interLink's own name for it: existing tools read this annotation. */
export const jobIdAnnotation = 'JobID';
export const siteAnnotation = 'interlink.eu/site';

const outageTaints = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);
/** What the DefaultTolerationSeconds admission plugin writes into every pod. */
const defaultSeconds = 300;

/**
 * The one patch that a pod gets when its site has taken it: where it runs, and no eviction because vk-node was away for
 * five minutes. Undefined when there is nothing left to say.
 */
export function acceptPatch(pod: Pod, jobId: string, site: string | undefined): object | undefined {
  const annotations = { [jobIdAnnotation]: jobId, ...(site === undefined ? {} : { [siteAnnotation]: site }) };
  const news = Object.entries(annotations).some(([key, value]) => pod.metadata.annotations?.[key] !== value);
  const tolerations = lastingTolerations(pod);
  if (!news && tolerations === undefined) return undefined;
  return { metadata: { uid: pod.metadata.uid, annotations }, ...(tolerations ? { spec: { tolerations } } : {}) };
}

/**
 * The pod as it is once it is accepted. A change of its tolerations makes a new generation of it: a status that named
 * the one before would have to be written again for that number alone.
 */
export function onceAccepted(pod: Pod): Pod {
  const generation = pod.metadata['generation'];
  if (typeof generation !== 'number' || lastingTolerations(pod) === undefined) return pod;
  return { ...pod, metadata: { ...pod.metadata, generation: generation + 1 } };
}

/** Undefined when they are so already. */
function lastingTolerations({ spec }: Pod): Toleration[] | undefined {
  const before = spec.tolerations ?? [];
  const after = before.map(lasting);
  return after.some((toleration, index) => toleration !== before[index]) ? after : undefined;
}

function lasting(toleration: Toleration): Toleration {
  if (!outageTaints.has(toleration.key ?? '') || toleration.tolerationSeconds !== defaultSeconds) return toleration;
  const { tolerationSeconds: _, ...rest } = toleration;
  return rest;
}
