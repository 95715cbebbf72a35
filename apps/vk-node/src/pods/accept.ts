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
  const before = pod.spec.tolerations ?? [];
  const tolerations = before.map(lasting);
  const changed = tolerations.some((toleration, index) => toleration !== before[index]);
  if (!news && !changed) return undefined;
  return { metadata: { uid: pod.metadata.uid, annotations }, ...(changed ? { spec: { tolerations } } : {}) };
}

function lasting(toleration: Toleration): Toleration {
  if (!outageTaints.has(toleration.key ?? '') || toleration.tolerationSeconds !== defaultSeconds) return toleration;
  const { tolerationSeconds: _, ...rest } = toleration;
  return rest;
}
