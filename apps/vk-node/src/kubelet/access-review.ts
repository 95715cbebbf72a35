import { createHash } from 'node:crypto';
import { InterlinkError } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import type { AccessAttributes, User } from '@interlink/kubelet-server';
import { z } from 'zod';
import { ExpiringCache } from './expiring-cache.ts';

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const timeoutMs = 10_000;
const cacheLimits = { ttlMs: 10_000, maxEntries: 1000 };

const reviewSchema = z.looseObject({
  status: z.looseObject({ allowed: z.boolean(), denied: z.boolean().optional(), reason: z.string().optional() }),
});

interface Verdict {
  readonly allowed: boolean;
  readonly reason?: string | undefined;
}

/**
 * Asks the cluster whether the user may. The verdict stays good for ten seconds.
 * @throws InterlinkError Unavailable when the cluster cannot be asked
 */
export function createAccessReview(
  client: KubeClient,
  now: () => number,
): (user: User, access: AccessAttributes, signal: AbortSignal) => Promise<Verdict> {
  const cache = new ExpiringCache<Verdict>({ ...cacheLimits, now });
  return async (user, access, signal) => {
    const spec = specOf(user, access);
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
    const known = cache.get(key);
    if (known !== undefined) return known;
    const verdict = await review(client, spec, signal);
    cache.set(key, verdict);
    return verdict;
  };
}

function specOf(
  { name, uid, groups, extra }: User,
  { verb, resource, name: node, subresource }: AccessAttributes,
): object {
  return {
    user: name,
    uid,
    groups,
    extra,
    resourceAttributes: { verb, version: 'v1', resource, name: node, subresource },
  };
}

async function review(client: KubeClient, spec: object, signal: AbortSignal): Promise<Verdict> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  try {
    const { status } = await client.create({ path, body, schema: reviewSchema, signal, timeoutMs });
    return { allowed: status.allowed && status.denied !== true, reason: status.reason };
  } catch (cause) {
    const why = 'access cannot be checked: the API server does not answer as it should';
    throw new InterlinkError('Unavailable', why, { cause });
  }
}
