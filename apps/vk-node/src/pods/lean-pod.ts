import { podSchema, type Pod } from '@interlink/contract';

/** A Pod as vk-node keeps it. managedFields is up to half of it and means nothing to a node or a site. */
export const leanPodSchema = podSchema.transform(({ metadata: { managedFields: _, ...metadata }, ...pod }): Pod => ({
  ...pod,
  metadata,
}));
