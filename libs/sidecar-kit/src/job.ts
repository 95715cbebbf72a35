import { hash } from 'node:crypto';
import {
  configMapSchema,
  InterlinkError,
  podSchema,
  podStatusSchema,
  secretSchema,
  type ConfigMap,
  type Pod,
  type PodStatus,
  type RetrievedPod,
  type Secret,
} from '@interlink/contract';
import { z } from 'zod';

/** What the site needs to run a pod; gone once the job is a tombstone. */
const payloadSchema = z.object({
  pod: podSchema,
  configMaps: z.array(configMapSchema),
  secrets: z.array(secretSchema),
  /** Flattened projected and downwardAPI volumes, named by volume. */
  projected: z.array(configMapSchema),
  pullSecrets: z.array(secretSchema),
  expandEnv: z.boolean(),
});

/**
 * One job as the spool keeps it. `accepted`: wanted; `deleting`: a delete was accepted and is being carried out;
 * `deleted`: a tombstone, kept so that a late create of the same pod is refused.
 */
export const jobRecordSchema = z.object({
  owner: z.string(),
  uid: z.string(),
  namespace: z.string(),
  name: z.string(),
  state: z.enum(['accepted', 'deleting', 'deleted']),
  /** The site's own id; empty until submitted. */
  jobId: z.string(),
  /** ms since the epoch */
  acceptedAt: z.number(),
  /** ms since the epoch; when the grace period of a delete ends. */
  deleteBy: z.number().optional(),
  deletedAt: z.number().optional(),
  payload: payloadSchema.optional(),
  status: podStatusSchema.optional(),
});

export type JobRecord = z.infer<typeof jobRecordSchema>;
export type JobPayload = z.infer<typeof payloadSchema>;

/** A job that has its pod: what a backend is given. */
export interface Job {
  readonly owner: string;
  readonly uid: string;
  /** Fit for names and labels at the site: unique per (owner, UID), 16 hex digits. */
  readonly id: string;
  readonly pod: Pod;
  readonly payload: JobPayload;
  /** When the site accepted the pod, RFC 3339. */
  readonly startTime: string;
  /** The status that was last published, if any; after a restart it is the one in the spool. */
  readonly lastStatus: PodStatus | undefined;
}

/** Jobs are keyed by (owner, UID): a UID alone could be claimed by another cluster. */
export function jobKey(owner: string, uid: string): string {
  return hash('sha256', `${owner}\n${uid}`, 'hex').slice(0, 32);
}

export function toJob(record: JobRecord): Job | undefined {
  if (record.payload === undefined) return undefined;
  return {
    owner: record.owner,
    uid: record.uid,
    id: jobKey(record.owner, record.uid).slice(0, 16),
    pod: record.payload.pod,
    payload: record.payload,
    startTime: new Date(record.acceptedAt).toISOString(),
    lastStatus: record.status,
  };
}

/** @throws InterlinkError Malformed when the pod has no UID: without one nothing here is idempotent. */
export function newRecord(owner: string, request: RetrievedPod, now: number): JobRecord {
  const { metadata } = request.pod;
  if (metadata.uid === '') {
    throw new InterlinkError('Malformed', 'pod.metadata.uid is empty: a job is known by the UID of its pod', {
      field: 'pod.metadata.uid',
    });
  }
  const containers = request.container ?? [];
  return {
    owner,
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    state: 'accepted',
    jobId: '',
    acceptedAt: now,
    payload: {
      pod: request.pod,
      configMaps: distinct(containers.flatMap((container) => container.configMaps ?? [])),
      secrets: distinct(containers.flatMap((container) => container.secrets ?? [])),
      projected: distinct(containers.flatMap((container) => container.projectedvolumemaps ?? [])),
      pullSecrets: request.pullSecrets ?? [],
      expandEnv: request.expandEnv ?? false,
    },
  };
}

function distinct<T extends ConfigMap | Secret>(objects: T[]): T[] {
  return [...new Map(objects.map((object) => [object.metadata.name, object])).values()];
}
