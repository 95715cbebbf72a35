import { z } from 'zod';

const amount = z.number().nonnegative();

const containerStatsSchema = z.looseObject({
  name: z.string(),
  /** RFC 3339 */
  startTime: z.string().optional(),
  cpuUsageCoreNanoSeconds: amount.optional(),
  memoryUsageBytes: amount.optional(),
  /** Usage without the file cache that the kernel can drop at once, as the kubelet counts it. */
  memoryWorkingSetBytes: amount.optional(),
  memoryRssBytes: amount.optional(),
});

const podStatsSchema = z.looseObject({
  uid: z.string(),
  namespace: z.string(),
  name: z.string(),
  containers: z.array(containerStatsSchema),
  network: z.looseObject({ rxBytes: amount, txBytes: amount }).optional(),
});

/** `GET /stats`: what the running pods of one owner use now. A container that could not be measured is missing. */
export const siteStatsSchema = z.looseObject({ pods: z.array(podStatsSchema), time: z.string() });

export type SiteStats = z.infer<typeof siteStatsSchema>;
