import { InterlinkError, type Pod } from '@interlink/contract';
import { isForbidden, isNotFound, type KubeClient } from '@interlink/kube';
import { MissingReference, type TokenRequest } from '@interlink/pod-model';
import { z } from 'zod';

const tokenReplySchema = z.looseObject({
  status: z.looseObject({ token: z.string().min(1), expirationTimestamp: z.string().nullish() }),
});

export interface IssuedToken extends TokenRequest {
  readonly token: string;
  /** When to ask for the next one, ms since the epoch. */
  readonly refreshAt: number;
}

const dayMs = 24 * 3600 * 1000;

/** As the kubelet: at 80 % of its life, and after a day at the latest. */
export function refreshTime(issuedAt: number, expiresAt: number): number {
  return issuedAt + Math.min(dayMs, (expiresAt - issuedAt) * 0.8);
}

/** Bound to the pod: it ends with it. @throws MissingReference without its account. */
export async function issueToken(
  client: Pick<KubeClient, 'create'>,
  pod: Pod,
  wanted: TokenRequest,
  { signal, now }: { signal: AbortSignal; now: number },
): Promise<IssuedToken> {
  const { namespace, name, uid } = pod.metadata;
  const account = pod.spec.serviceAccountName || 'default';
  try {
    const { status } = await client.create({
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
    const stated = Date.parse(status.expirationTimestamp ?? '');
    const expiresAt = stated > now ? stated : now + wanted.expirationSeconds * 1000;
    return { ...wanted, token: status.token, refreshAt: refreshTime(now, expiresAt) };
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
