import type { ConfigMap, CreateRequest, Pod, Secret } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import {
  expandPod,
  listReferences,
  MissingReference,
  projectVolume,
  resolveEnv,
  type ObjectReference,
} from '@interlink/pod-model';
import { objectKey, versionOf, type ObjectReader } from './object-reader.ts';
import { issueToken, type IssuedToken } from './service-account-token.ts';

export interface CreateRequestOptions {
  readonly client: KubeClient;
  readonly reader: ObjectReader;
  readonly nodeName: string;
  /** The variables of the cluster's services; undefined: containers get none. */
  readonly serviceEnv: Readonly<Record<string, string>> | undefined;
  /** The node's allocatable resources, which stand in for limits that are unset. */
  readonly allocatable: Readonly<Record<string, string>> | undefined;
  /** The site expands `$(VAR)` itself (capability expandEnv); a classic one gets final values. */
  readonly siteExpands: boolean;
  /** Objects read before this moment (ms since the epoch) are too old. */
  readonly notBefore: number;
  readonly signal: AbortSignal;
}

/** What a request was made of: whatever is newer than this has not been sent. */
export interface SentContent {
  /** The resourceVersion of each object, by its key. */
  readonly versions: ReadonlyMap<string, string>;
  readonly tokens: readonly IssuedToken[];
}

export interface ReadObjects {
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Of every object that was looked for, also of one that is not there. */
  readonly versions: ReadonlyMap<string, string>;
}

/** @throws MissingReference for the first that is not optional and not there. */
export async function readObjects(
  namespace: string,
  objects: readonly ObjectReference[],
  { reader, notBefore }: Pick<CreateRequestOptions, 'reader' | 'notBefore'>,
): Promise<ReadObjects> {
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  const versions = new Map<string, string>();
  await Promise.all(
    objects.map(async ({ kind, name, optional }) => {
      const found =
        kind === 'ConfigMap'
          ? await reader.configMap(namespace, name, notBefore)
          : await reader.secret(namespace, name, notBefore);
      if (found === undefined && !optional) throw new MissingReference(kind, name);
      versions.set(objectKey(kind, namespace, name), versionOf(found));
      if (found === undefined) return;
      if (kind === 'ConfigMap') configMaps.set(name, found);
      else secrets.set(name, found);
    }),
  );
  return { configMaps, secrets, versions };
}

/** What the pod names in the cluster, read and put into the request that sends it to its site. @throws MissingReference: wait. */
export async function buildCreateRequest(
  pod: Pod,
  options: CreateRequestOptions,
): Promise<{ request: CreateRequest; sent: SentContent }> {
  const { objects, tokens } = listReferences(pod);
  const { configMaps, secrets, versions } = await readObjects(pod.metadata.namespace, objects, options);
  const { client, signal } = options;
  const issued = await Promise.all(tokens.map((token) => issueToken(client, pod, token, { signal, now: Date.now() })));
  const { nodeName, serviceEnv, allocatable } = options;
  const resolved = resolveEnv(pod, { configMaps, secrets, nodeName, serviceEnv, allocatable });
  const projected = (pod.spec.volumes ?? [])
    .filter((volume) => volume.projected ?? volume.downwardAPI)
    .map((volume) => {
      const ofVolume = issued.filter((token) => token.volume === volume.name);
      return projectVolume(pod, volume, {
        configMaps,
        secrets,
        nodeName,
        allocatable,
        tokens: new Map(ofVolume.map(({ path, token }) => [path, token])),
      });
    });
  const wanted = (kind: string, purpose: string, name: string) =>
    objects.some((reference) => reference.kind === kind && reference.purpose === purpose && reference.name === name);
  const request: CreateRequest = {
    pod: options.siteExpands ? resolved : expandPod(resolved, podIp(pod)),
    configmaps: [...configMaps.values()].filter(({ metadata }) => wanted('ConfigMap', 'volume', metadata.name)),
    secrets: [...secrets.values()].filter(({ metadata }) => wanted('Secret', 'volume', metadata.name)),
    projectedvolumesmaps: projected,
    jobscriptURL: '',
    pullSecrets: [...secrets.values()].filter(({ metadata }) => wanted('Secret', 'pull', metadata.name)),
    ...(options.siteExpands ? { expandEnv: true } : {}),
  };
  return { request, sent: { versions, tokens: issued } };
}

function podIp(pod: Pod): string {
  return pod.metadata.annotations?.['interlink.eu/pod-ip'] ?? '';
}
