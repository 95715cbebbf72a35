import { absolutePath } from '@interlink/service-kit';
import { z } from 'zod';

const readOnly = z.boolean().default(false);

/** The part of the configuration that says what of the host, beside their own volumes, pods may use. */
export const volumesSchema = z.strictObject({
  /** Folders or files of the host that `hostPath` may name, and all below them. */
  hostPaths: z.array(z.strictObject({ path: absolutePath, readOnly })).default([]),
  /** PersistentVolumeClaims by name, and what stands for each: a folder of the host, or a volume of the engine. */
  claims: z
    .array(
      z
        .strictObject({
          namespace: z.string(),
          name: z.string(),
          hostPath: absolutePath.optional(),
          volume: z.string().min(1).optional(),
          readOnly,
        })
        .refine(({ hostPath, volume }) => (hostPath === undefined) !== (volume === undefined), {
          message: 'must name either a hostPath or a volume',
        }),
    )
    .default([]),
});

export type VolumeRules = z.infer<typeof volumesSchema>;
export const noVolumeRules: VolumeRules = { hostPaths: [], claims: [] };
