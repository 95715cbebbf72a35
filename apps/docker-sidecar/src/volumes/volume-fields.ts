import { InterlinkError, type Pod, type Volume } from '@interlink/contract';
import { z } from 'zod';

const text = z.string().nullish();
const bool = z.boolean().nullish();

/** What the contract leaves untouched of volumes and mounts. Go writes absent values as null. */
const volumeSchema = z.looseObject({
  hostPath: z.looseObject({ path: z.string(), type: text }).nullish(),
  persistentVolumeClaim: z.looseObject({ claimName: z.string(), readOnly: bool }).nullish(),
});
const mountSchema = z.looseObject({ mountPropagation: text, recursiveReadOnly: text });

export type VolumeMount = NonNullable<Pod['spec']['containers'][number]['volumeMounts']>[number];

/** @throws InterlinkError Invalid that names the field which is of the wrong type. */
export function volumeFields(volume: Volume, field: string): z.infer<typeof volumeSchema> {
  return parsed(volumeSchema, volume, field);
}

export function mountFields(mount: VolumeMount, field: string): z.infer<typeof mountSchema> {
  return parsed(mountSchema, mount, field);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, field: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const path = [field, ...(result.error.issues[0]?.path.map(String) ?? [])].join('.');
  throw new InterlinkError('Invalid', `${path} is not of the right type`, { field: path });
}
