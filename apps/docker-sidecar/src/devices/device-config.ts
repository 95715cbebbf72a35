import { absolutePath } from '@interlink/service-kit';
import { z } from 'zod';

/** Device nodes of the engine's host: each path is one device. */
const nodes = z.strictObject({ paths: z.array(absolutePath).min(1) });
/** Devices that a driver of the engine brings in, known to it by their ids: 0 to `count` - 1 where only a number is given. */
const driven = z
  .strictObject({
    driver: z.string().min(1),
    count: z.number().int().positive().optional(),
    ids: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(({ count, ids }) => (count === undefined) !== (ids === undefined), 'needs either count or ids');

const resourceName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** What the site lends out, by the name of the extended resource. */
export const devicesSchema = z.record(
  z.string().regex(resourceName, 'must be an extended resource such as nvidia.com/gpu'),
  z.union([nodes, driven]),
);

export type DevicesConfig = z.infer<typeof devicesSchema>;
export type DeviceConfig = DevicesConfig[string];

/** The devices of one resource, by what the engine knows them by. */
export function deviceIds(config: DeviceConfig): string[] {
  if ('paths' in config) return config.paths;
  return config.ids ?? Array.from({ length: config.count ?? 0 }, (_, index) => String(index));
}
