import { z } from 'zod';

/** A Lease as far as we use it; the rest passes untouched. */
export const leaseSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    resourceVersion: z.string().optional(),
  }),
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .optional(),
});

export type Lease = z.infer<typeof leaseSchema>;

/** Path of a namespace's leases, or of one of them. */
export function leasePath(namespace: string, name?: string): string {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return name === undefined ? collection : `${collection}/${name}`;
}

/** A MicroTime: the API server refuses one without exactly six digits. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
