import { z } from 'zod';
import { configMapSchema, containerStatusSchema, podSchema, secretSchema } from './pod.ts';

/**
 * interLink's core messages, on both legs. Field names are interLink's own (that is the wire); what is marked
 * "extension" is ours, ignored by classic peers and optional for us.
 */
const listOf = <T extends z.ZodType>(item: T) => z.array(item).nullish();

const extensions = {
  /** Extension: the Secrets of `imagePullSecrets`, apart from those that the pod mounts. */
  pullSecrets: listOf(secretSchema),
  /**
   * Extension: env values, command and args still hold `$(VAR)` references (and `$$` escapes); the site expands them
   * once, at start. Absent or false: they are final (interLink's virtual kubelet expands them itself).
   */
  expandEnv: z.boolean().nullish(),
};

/** vk-node -> API. A projected volume is a ConfigMap named as the volume, its data keyed by path. */
export const createRequestSchema = z.looseObject({
  pod: podSchema,
  configmaps: listOf(configMapSchema),
  secrets: listOf(secretSchema),
  projectedvolumesmaps: listOf(configMapSchema),
  jobscriptURL: z.string().nullish(),
  ...extensions,
});

/** API -> sidecar, one pod: per container (init containers first) only what that container mounts. */
export const retrievedPodSchema = z.looseObject({
  pod: podSchema,
  container: listOf(
    z.looseObject({
      name: z.string(),
      configMaps: listOf(configMapSchema),
      projectedvolumemaps: listOf(configMapSchema),
      secrets: listOf(secretSchema),
      emptyDirs: z.unknown().optional(),
    }),
  ),
  jobConfig: z.unknown().optional(),
  jobScript: z.string().nullish(),
  ...extensions,
});

/** Both dialects of a sidecar's /create: the object of today and the older array of exactly one. */
export const sidecarCreateSchema = z.preprocess(
  // Not a union: its errors would not name the field.
  (body: unknown): unknown => (Array.isArray(body) && body.length === 1 ? body[0] : body),
  retrievedPodSchema,
);

export const createReplySchema = z.looseObject({ PodUID: z.string(), PodJID: z.string() });

export const podPhaseSchema = z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']);

/** One pod's status. Everything below `initContainers` is an extension. */
export const podStatusSchema = z.looseObject({
  name: z.string(),
  UID: z.string(),
  namespace: z.string(),
  JID: z.string().default(''),
  containers: z.array(containerStatusSchema).nullish(),
  initContainers: z.array(containerStatusSchema).nullish(),
  ephemeralContainers: z.array(containerStatusSchema).nullish(),
  phase: podPhaseSchema.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  /** RFC 3339; when the site took the pod up. */
  startTime: z.string().optional(),
  /** Addresses that are routable from the cluster; loopback never. */
  podIPs: z.array(z.string()).optional(),
  hostIPs: z.array(z.string()).optional(),
  /** The site's name, as in the events. */
  site: z.string().optional(),
});

const zeroTime = '0001-01-01T00:00:00Z';

export const logRequestSchema = z.looseObject({
  Namespace: z.string(),
  PodUID: z.string(),
  PodName: z.string(),
  ContainerName: z.string(),
  Opts: z
    .looseObject({
      /** Lines from the end; 0 = all. */
      Tail: z.number().int().default(0),
      /** At most so many bytes; 0 = no limit. */
      Bytes: z.number().int().default(0),
      Timestamps: z.boolean().default(false),
      Follow: z.boolean().default(false),
      Previous: z.boolean().default(false),
      SinceSeconds: z.number().int().default(0),
      /** RFC 3339; Go's zero time = unset. */
      SinceTime: z.string().default(zeroTime),
      /** Extension: as Tail, but 0 means none at all (`kubectl logs --tail=0`). */
      TailLines: z.number().int().optional(),
    })
    .default({
      Tail: 0,
      Bytes: 0,
      Timestamps: false,
      Follow: false,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: zeroTime,
    }),
});

export const taintSchema = z.looseObject({ key: z.string(), value: z.string().default(''), effect: z.string() });

export const pingReplySchema = z.looseObject({
  status: z.string().default('ok'),
  resources: z
    .looseObject({
      cpu: z.string().nullish(),
      memory: z.string().nullish(),
      pods: z.string().nullish(),
      accelerators: listOf(z.looseObject({ resourceType: z.string(), available: z.string() })),
    })
    .nullish(),
  /** Present (even empty) = replaces the site's taints. */
  taints: listOf(taintSchema),
});

export type CreateRequest = z.infer<typeof createRequestSchema>;
export type RetrievedPod = z.infer<typeof retrievedPodSchema>;
export type CreateReply = z.infer<typeof createReplySchema>;
export type PodPhase = z.infer<typeof podPhaseSchema>;
export type PodStatus = z.infer<typeof podStatusSchema>;
export type LogRequest = z.infer<typeof logRequestSchema>;
export type PingReply = z.infer<typeof pingReplySchema>;

/** Since when logs are wanted, in ms since the epoch; undefined = from the start. */
export function logsSince(opts: LogRequest['Opts'], now: number): number | undefined {
  if (opts.SinceSeconds > 0) return now - opts.SinceSeconds * 1000;
  if (opts.SinceTime === zeroTime) return undefined;
  const since = Date.parse(opts.SinceTime);
  return Number.isNaN(since) ? undefined : since;
}

/** How many lines from the end are wanted; undefined = all. */
export function logsTail(opts: LogRequest['Opts']): number | undefined {
  return opts.TailLines ?? (opts.Tail > 0 ? opts.Tail : undefined);
}
