import { createHash } from 'node:crypto';
import { InterlinkError } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import type { User } from '@interlink/kubelet-server';
import { z } from 'zod';
import { ExpiringCache } from './expiring-cache.ts';

const path = '/apis/authentication.k8s.io/v1/tokenreviews';
const timeoutMs = 10_000;
const cacheLimits = { ttlMs: 60_000, maxEntries: 1000 };

const reviewSchema = z.looseObject({
  status: z.looseObject({
    authenticated: z.boolean().optional(),
    user: z
      .looseObject({
        username: z.string().optional(),
        uid: z.string().optional(),
        groups: z.array(z.string()).nullish(),
        extra: z.record(z.string(), z.array(z.string())).nullish(),
      })
      .optional(),
  }),
});

/**
 * Asks the cluster whose bearer token it is; undefined = nobody's. What it says stays good for a minute, so that a
 * scraper does not cost a review per scrape; a refusal does not, for the token may have been made a moment ago.
 * @throws InterlinkError Unavailable when the cluster cannot be asked
 */
export function createTokenReview(
  client: KubeClient,
  now: () => number,
): (token: string, signal: AbortSignal) => Promise<User | undefined> {
  const cache = new ExpiringCache<User>({ ...cacheLimits, now });
  return async (token, signal) => {
    const key = createHash('sha256').update(token).digest('base64');
    const known = cache.get(key);
    if (known !== undefined) return known;
    const user = await review(client, token, signal);
    if (user !== undefined) cache.set(key, user);
    return user;
  };
}

async function review(client: KubeClient, token: string, signal: AbortSignal): Promise<User | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  try {
    const { status } = await client.create({ path, body, schema: reviewSchema, signal, timeoutMs });
    const { username, uid, groups, extra } = status.user ?? {};
    if (status.authenticated !== true || !username) return undefined;
    return { name: username, uid, groups: groups ?? [], extra: extra ?? undefined };
  } catch (cause) {
    throw new InterlinkError(
      'Unavailable',
      'the token cannot be checked: the API server does not answer as it should',
      {
        cause,
      },
    );
  }
}
