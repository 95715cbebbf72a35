import {
  InterlinkError,
  zeroJobConfig,
  type ConfigMap,
  type Container,
  type CreateRequest,
  type RetrievedPod,
  type Secret,
  type Volume,
} from '@interlink/contract';

/**
 * The sidecar's form of a create: per container, init containers first, the ConfigMaps, Secrets and projected volumes
 * that it mounts. A container sees no more than its own, as in a kubelet.
 * @throws InterlinkError Invalid for what this API does not do.
 */
export function splitCreate(request: CreateRequest): RetrievedPod {
  const { pod, jobscriptURL, pullSecrets, expandEnv } = request;
  if (jobscriptURL !== undefined && jobscriptURL !== null && jobscriptURL !== '') {
    throw new InterlinkError(
      'Invalid',
      'this API posts no pods to a job script builder: unset JobScriptBuilderURL in the configuration of the virtual kubelet',
      { field: 'jobscriptURL' },
    );
  }
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return {
    pod,
    container: containers.map((container) => contentOf(container, request)),
    jobConfig: zeroJobConfig,
    ...(pullSecrets === undefined ? {} : { pullSecrets }),
    ...(expandEnv === undefined ? {} : { expandEnv }),
  };
}

function contentOf(container: Container, { pod, ...content }: CreateRequest) {
  const mounted = new Set(container.volumeMounts?.map(({ name }) => name));
  const volumes = (pod.spec.volumes ?? []).filter(({ name }) => mounted.has(name));
  return {
    name: container.name,
    configMaps: named(content.configmaps, volumes.map(configMapOf)),
    projectedvolumemaps: named(content.projectedvolumesmaps, volumes.map(projectedOf)),
    secrets: named(content.secrets, volumes.map(secretOf)),
    emptyDirs: null,
  };
}

const configMapOf = (volume: Volume) => volume.configMap?.name;
const secretOf = (volume: Volume) => volume.secret?.secretName;
/** Named as the volume; a downwardAPI volume travels as a projected one. */
const projectedOf = (volume: Volume) => (volume.projected || volume.downwardAPI ? volume.name : undefined);

/** An empty list is `null`, as Go writes it: classic plugins know no other form. */
function named<T extends ConfigMap | Secret>(
  objects: readonly T[] | null | undefined,
  names: readonly (string | undefined)[],
): T[] | null {
  const found = (objects ?? []).filter(({ metadata }) => names.includes(metadata.name));
  return found.length === 0 ? null : found;
}
