import { z } from 'zod';
import { podStatusSchema } from './core.ts';
import { configMapSchema, containerSchema, podRefSchema, secretSchema } from './pod.ts';

/** `GET /capabilities`. A 404 means a classic plugin: use the core endpoints only. */
export const capabilitiesSchema = z.looseObject({
  /** Major version of this contract. */
  contract: z.literal('1'),
  /** `<service>/<version>`, for people. */
  server: z.string(),
  site: z.string(),
  kind: z.string(),
  features: z.looseObject({
    events: z.boolean(),
    /** Expands `$(VAR)` at start and resolves status.podIP and status.hostIP. */
    expandEnv: z.boolean(),
    update: z.boolean(),
    /** Absent at an older server, which has none of these. */
    exec: z.boolean().optional(),
    attach: z.boolean().optional(),
    portForward: z.boolean().optional(),
    stats: z.boolean().optional(),
  }),
});

/**
 * Lines of `GET /events` (NDJSON), list-then-watch: the present state as `status` lines, then `synced`, then changes.
 * A cursor names a place in the stream; hand it back as `?cursor=` to go on from there, but only one that came with or
 * after a `synced`. One that the server does not know (restarted, expired) restarts the snapshot. A pod's absence means
 * something only after a `synced` of a snapshot.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('status'), site: z.string(), cursor: z.string(), status: podStatusSchema }),
  z.looseObject({
    type: z.literal('synced'),
    site: z.string(),
    cursor: z.string(),
    /** False: the cursor was honoured, only what changed since then was sent, and absence means nothing. */
    snapshot: z.boolean(),
  }),
  z.looseObject({ type: z.literal('siteDown'), site: z.string(), message: z.string() }),
  z.looseObject({ type: z.literal('bookmark'), cursor: z.string() }),
]);

/** Seconds between bookmarks; a reader that hears nothing for {@link eventsSilenceSeconds} connects again. */
export const bookmarkSeconds = 15;
export const eventsSilenceSeconds = 45;

/**
 * `POST /update`: what changed in the cluster while the pod runs. Absent = unchanged. Of the pod, its metadata and what
 * Kubernetes lets one change of its spec count; values of ephemeral containers are resolved as those of a create.
 */
export const updateRequestSchema = z.looseObject({
  pod: podRefSchema.extend({
    spec: z
      .looseObject({
        containers: z.array(containerSchema).nullish(),
        initContainers: z.array(containerSchema).nullish(),
        ephemeralContainers: z.array(containerSchema).nullish(),
      })
      .nullish(),
  }),
  configmaps: z.array(configMapSchema).nullish(),
  secrets: z.array(secretSchema).nullish(),
  /** Whole volumes, as in a create. */
  projectedvolumesmaps: z.array(configMapSchema).nullish(),
});

export type Capabilities = z.infer<typeof capabilitiesSchema>;
export type SiteEvent = z.infer<typeof eventSchema>;
export type UpdateRequest = z.infer<typeof updateRequestSchema>;
