import { absolutePath, byteSize, listenSchema, logSchema } from '@interlink/service-kit';
import { z } from 'zod';
import { devicesSchema } from './devices/device-config.ts';
import { volumesSchema } from './volumes/volume-rules.ts';

const quantity = z
  .string()
  .regex(/^[0-9.]+([eEinumkMGTPE]|[KMGTPE]i)?$/, 'must be a Kubernetes quantity such as "4" or "16Gi"');

/** The file that `docker-sidecar --config` reads. */
export const configSchema = z
  .strictObject({
    /** The site's name: in events, in pod annotations, and on every container. Two sidecars on one engine need two. */
    site: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a name of small letters, digits and -')
      .default('docker'),
    listen: listenSchema,
    log: logSchema,
    /** The engine's unix socket. */
    engineSocket: absolutePath.default('/var/run/docker.sock'),
    /** Where jobs are remembered; 0700, on a local disk. */
    spool: absolutePath,
    /** Our own tiny image that holds a pod's network and volumes. */
    sandboxImage: z.string().min(1),
    /** Whether the cluster can reach the containers' addresses: only then do pods show one. */
    podIPsRoutable: z.boolean().default(false),
    /** What status.hostIP resolves to; default: the host as the containers see it. */
    hostIP: z.string().optional(),
    /** What this site offers; cpu and memory default to all that the engine has. */
    capacity: z
      .strictObject({
        cpu: quantity.optional(),
        memory: quantity.optional(),
        pods: z.string().regex(/^\d+$/).default('250'),
      })
      .prefault({}),
    /** What pods may have of the host's; without it they are refused. */
    allow: z
      .strictObject({
        hostNetwork: z.boolean().default(false),
        hostPID: z.boolean().default(false),
        hostIPC: z.boolean().default(false),
        privileged: z.boolean().default(false),
      })
      .prefault({}),
    /** The cluster's name servers, where containers reach them; none: dnsPolicy ClusterFirst is as Default. */
    clusterDNS: z.array(z.union([z.ipv4(), z.ipv6()])).default([]),
    clusterDomain: z.string().min(1).default('cluster.local'),
    /** Devices to lend out, by extended resource. */
    devices: devicesSchema.default({}),
    /** What of the host pods may mount; anything else is refused. */
    volumes: volumesSchema.prefault({}),
    bodyLimit: byteSize.default(16 * 1024 * 1024),
  })
  .refine(({ allow, hostIP }) => !allow.hostNetwork || hostIP !== undefined, {
    path: ['hostIP'],
    message: 'is needed with allow.hostNetwork: it is the address of pods on the host network',
  });

export type Config = z.infer<typeof configSchema>;
