import { InterlinkError, type ConfigMap, type CreateRequest, type Pod, type Secret } from '@interlink/contract';
import { isForbidden, isNotFound, type KubeClient } from '@interlink/kube';
import {
  expandPod,
  listReferences,
  MissingReference,
  projectVolume,
  resolveEnv,
  type TokenRequest,
} from '@interlink/pod-model';
import { z } from 'zod';
import type { ObjectReader } from './object-reader.ts';

export interface CreateRequestOptions {
  readonly client: KubeClient;
  readonly reader: ObjectReader;
  readonly nodeName: string;
  /** The site expands `$(VAR)` itself (capability expandEnv); a classic one gets final values. */
  readonly siteExpands: boolean;
  /** Objects read before this moment (ms since the epoch) are too old. */
  readonly notBefore: number;
  readonly signal: AbortSignal;
}

/** What the pod names in the cluster, read and put into the request that sends it to its site. @throws MissingReference: wait. */
export async function buildCreateRequest(pod: Pod, options: CreateRequestOptions): Promise<CreateRequest> {
  const { objects, tokens } = listReferences(pod);
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  const { namespace } = pod.metadata;
  await Promise.all(
    objects.map(async ({ kind, name, optional }) => {
      const found =
        kind === 'ConfigMap'
          ? await options.reader.configMap(namespace, name, options.notBefore)
          : await options.reader.secret(namespace, name, options.notBefore);
      if (found === undefined && !optional) throw new MissingReference(kind, name);
      if (found === undefined) return;
      if (kind === 'ConfigMap') configMaps.set(name, found);
      else secrets.set(name, found);
    }),
  );
  const issued = await Promise.all(tokens.map((token) => issueToken(pod, token, options)));
  const { nodeName } = options;
  const resolved = resolveEnv(pod, { configMaps, secrets, nodeName });
  const projected = (pod.spec.volumes ?? [])
    .filter((volume) => volume.projected ?? volume.downwardAPI)
    .map((volume) => {
      const ofVolume = issued.filter((token) => token.volume === volume.name);
      return projectVolume(pod, volume, {
        configMaps,
        secrets,
        nodeName,
        tokens: new Map(ofVolume.map(({ path, token }) => [path, token])),
      });
    });
  const wanted = (kind: string, purpose: string, name: string) =>
    objects.some((reference) => reference.kind === kind && reference.purpose === purpose && reference.name === name);
  return {
    pod: options.siteExpands ? resolved : expandPod(resolved, podIp(pod)),
    configmaps: [...configMaps.values()].filter(({ metadata }) => wanted('ConfigMap', 'volume', metadata.name)),
    secrets: [...secrets.values()].filter(({ metadata }) => wanted('Secret', 'volume', metadata.name)),
    projectedvolumesmaps: projected,
    jobscriptURL: '',
    pullSecrets: [...secrets.values()].filter(({ metadata }) => wanted('Secret', 'pull', metadata.name)),
    ...(options.siteExpands ? { expandEnv: true } : {}),
  };
}

const tokenReplySchema = z.looseObject({ status: z.looseObject({ token: z.string().min(1) }) });

/** Bound to the pod: it ends with it. */
async function issueToken(
  pod: Pod,
  wanted: TokenRequest,
  { client, signal }: CreateRequestOptions,
): Promise<TokenRequest & { token: string }> {
  const { namespace, name, uid } = pod.metadata;
  const account = pod.spec.serviceAccountName || 'default';
  try {
    const reply = await client.create({
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          ...(wanted.audience === undefined ? {} : { audiences: [wanted.audience] }),
          expirationSeconds: wanted.expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
      signal,
      schema: tokenReplySchema,
    });
    return { ...wanted, token: reply.status.token };
  } catch (error) {
    if (isNotFound(error)) throw new MissingReference('ServiceAccountToken', account);
    if (isForbidden(error)) {
      throw new InterlinkError(
        'Denied',
        `vk-node may not create serviceaccounts/token in namespace ${namespace}: allow it in its role`,
        { cause: error },
      );
    }
    throw error;
  }
}

function podIp(pod: Pod): string {
  return pod.metadata.annotations?.['interlink.eu/pod-ip'] ?? '';
}
