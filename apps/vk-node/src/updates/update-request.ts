import type { Container, Pod, UpdateRequest } from '@interlink/contract';
import { containerSchema } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import { listReferences, MissingReference, projectVolume, resolveContainerEnv } from '@interlink/pod-model';
import { readObjects } from '../pods/create-request.ts';
import { objectKey, versionOf, type ObjectReader } from '../pods/object-reader.ts';
import { issueToken } from '../pods/service-account-token.ts';
import type { FollowedPod, FollowedVolume } from './followed-pod.ts';

export interface UpdateSources {
  readonly client: Pick<KubeClient, 'create'>;
  readonly reader: ObjectReader;
  /** Waits until the budget has room for one more token. */
  readonly tokenTurn: () => Promise<void>;
  readonly nodeName: string;
  readonly allocatable: Readonly<Record<string, string>> | undefined;
  /** The variables of the cluster's services for a pod; undefined: containers get none. */
  readonly serviceEnv: ((pod: Pod) => Record<string, string>) | undefined;
  /** Objects read before this moment (ms since the epoch) are too old. */
  readonly notBefore: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

interface Content {
  readonly request: Pick<UpdateRequest, 'configmaps' | 'secrets' | 'projectedvolumesmaps'>;
  readonly shown: ReadonlyMap<string, string>;
  readonly refreshAt: number;
}

/**
 * The pod as it is now, without what never changes. Values of ephemeral containers are resolved, as those of the others
 * were in the create. @throws MissingReference: wait.
 */
export async function podPart({ pod }: FollowedPod, sources: UpdateSources): Promise<UpdateRequest['pod']> {
  const ephemeral = containerSchema.array().parse(pod.spec['ephemeralContainers'] ?? []);
  const changeable = ({ name, image, resources }: Container): Container => ({ name, image, resources });
  return {
    metadata: pod.metadata,
    spec: {
      containers: pod.spec.containers.map(changeable),
      ...(pod.spec.initContainers ? { initContainers: pod.spec.initContainers.map(changeable) } : {}),
      ...(ephemeral.length > 0
        ? {
            ephemeralContainers: await Promise.all(
              ephemeral.map((container, index) =>
                resolved(pod, container, `spec.ephemeralContainers[${index}]`, sources),
              ),
            ),
          }
        : {}),
    },
  };
}

async function resolved(pod: Pod, container: Container, field: string, sources: UpdateSources): Promise<Container> {
  const alone: Pod = { ...pod, spec: { containers: [container] } };
  const found = await readObjects(pod.metadata.namespace, listReferences(alone).objects, sources);
  const { nodeName, allocatable, serviceEnv } = sources;
  return resolveContainerEnv(pod, container, { ...found, nodeName, allocatable, serviceEnv: serviceEnv?.(pod) }, field);
}

/**
 * A volume's whole content, with new tokens. Undefined when something it needs is not there (any more): as with the
 * kubelet, the pod keeps what it has until that is back.
 */
export async function volumeContent(
  { pod }: FollowedPod,
  { volume, objects, tokens }: FollowedVolume,
  sources: UpdateSources,
): Promise<Content | { readonly missing: MissingReference; readonly shown: ReadonlyMap<string, string> }> {
  const { namespace } = pod.metadata;
  const { client, signal, now, nodeName, allocatable } = sources;
  let shown: ReadonlyMap<string, string> = new Map();
  try {
    const found = await readObjects(
      namespace,
      objects.map((object) => ({ ...object, optional: true })),
      sources,
    );
    shown = found.versions;
    const { configMaps, secrets } = found;
    for (const { kind, name, optional } of objects) {
      if (!optional && shown.get(objectKey(kind, namespace, name)) === versionOf(undefined))
        throw new MissingReference(kind, name);
    }
    if (!volume.projected && !volume.downwardAPI) {
      // One that is optional and gone leaves its volume empty.
      const gone = objects.filter(({ name }) => !configMaps.has(name) && !secrets.has(name));
      const emptied = (kind: string) =>
        gone.filter((object) => object.kind === kind).map(({ name }) => ({ metadata: { name, namespace }, data: {} }));
      const request = {
        configmaps: [...configMaps.values(), ...emptied('ConfigMap')],
        secrets: [...secrets.values(), ...emptied('Secret')],
      };
      return { request, shown, refreshAt: Infinity };
    }
    const issued = [];
    for (const token of tokens) {
      await sources.tokenTurn();
      issued.push(await issueToken(client, pod, token, { signal, now: now() }));
    }
    const byPath = new Map(issued.map(({ path, token }) => [path, token]));
    const projected = projectVolume(pod, volume, { configMaps, secrets, nodeName, allocatable, tokens: byPath });
    return {
      request: { projectedvolumesmaps: [projected] },
      shown,
      refreshAt: Math.min(Infinity, ...issued.map(({ refreshAt }) => refreshAt)),
    };
  } catch (error) {
    if (error instanceof MissingReference) return { missing: error, shown };
    throw error;
  }
}
