import { z } from 'zod';
import type { World } from './world.ts';

/** ConfigMaps and Secrets for pods of the default namespace. `binaryData` and Secret values are base64. */
export interface Objects {
  readonly configMaps?: Record<string, { data?: Record<string, string>; binaryData?: Record<string, string> }>;
  readonly secrets?: Record<string, Record<string, string>>;
}

const namespace = '/api/v1/namespaces/default';

export async function createObjects(
  { kube }: Pick<World, 'kube'>,
  { configMaps = {}, secrets = {} }: Objects,
): Promise<void> {
  const create = (resource: string, kind: string, name: string, content: object) =>
    kube.create({
      path: `${namespace}/${resource}`,
      body: { apiVersion: 'v1', kind, metadata: { name }, ...content },
      schema: z.unknown(),
    });
  await Promise.all([
    ...Object.entries(configMaps).map(([name, content]) => create('configmaps', 'ConfigMap', name, content)),
    ...Object.entries(secrets).map(([name, data]) => create('secrets', 'Secret', name, { data })),
  ]);
}

export const base64 = (content: string | Uint8Array): string => Buffer.from(content).toString('base64');
