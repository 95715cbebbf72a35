import { absolutePath, duration, endpoint, listenSchema, logSchema } from '@interlink/service-kit';
import { z } from 'zod';

const taint = z.strictObject({
  key: z.string(),
  value: z.string().default(''),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});
const quantity = z.union([z.string(), z.number()]).transform(String);
const nodeNameShape = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** The file that `vk-node --config` reads. */
export const configSchema = z.strictObject({
  node: z.strictObject({
    name: z.string().regex(nodeNameShape, 'must be a DNS name of at most 63 characters'),
    /** InternalIP, where the kube-apiserver reaches the kubelet port; default: this machine's first address. */
    address: z.union([z.ipv4(), z.ipv6()]).optional(),
    /** Added to the built-in labels, replacing those of the same key; an empty string removes one. */
    labels: z.record(z.string(), z.string()).default({}),
    taints: z
      .array(taint)
      .default([{ key: 'virtual-node.interlink/no-schedule', value: 'true', effect: 'NoSchedule' }]),
    /** Resources by name; what is set here is not taken from the site's ping. */
    capacity: z.record(z.string(), quantity).default({}),
  }),
  /** Default: $KUBECONFIG, ~/.kube/config, or the service account of our own pod. */
  kubeconfig: absolutePath.optional(),
  api: z.strictObject({
    endpoint,
    tls: z
      .strictObject({ caFile: absolutePath, certFile: absolutePath.optional(), keyFile: absolutePath.optional() })
      .optional(),
    /** A file (0600) with the key that the API's listener knows. */
    keyFile: absolutePath.optional(),
  }),
  kubelet: z
    .strictObject({
      host: z.string().default('0.0.0.0'),
      port: z.number().int().min(0).max(65535).default(10250),
      certFile: absolutePath.optional(),
      keyFile: absolutePath.optional(),
      /** Default: the client CA that the cluster publishes in kube-system/extension-apiserver-authentication. */
      clientCaFile: absolutePath.optional(),
    })
    .prefault({}),
  /** Where the Lease that lets only one vk-node of this name act is kept. */
  leaderNamespace: z.string().default('kube-node-lease'),
  pingInterval: duration.default(30_000),
  /** Between two looks at a classic interLink plugin, which has no events. */
  classicPoll: duration.default(5_000),
  /** Whether containers get the variables of the cluster's services, as on an ordinary node. */
  serviceEnvironment: z.boolean().default(true),
  /** Between two looks at a ConfigMap or Secret that running pods show. */
  updateInterval: duration.default(60_000),
  /** How long a job that the site does not know any more may stay unknown before its pod is Failed. */
  lostAfter: duration.default(60_000),
  /** Where /healthz, /readyz and /metrics are answered; default: nowhere. */
  listen: listenSchema.optional(),
  log: logSchema,
});

export type Config = z.infer<typeof configSchema>;
