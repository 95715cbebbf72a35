import type { ConfigMap, Secret } from '@interlink/contract';

/** The bytes behind each key of a ConfigMap (data and binaryData) or Secret. */
export type ObjectContent = ReadonlyMap<string, Uint8Array>;

export function configMapContent({ data, binaryData }: ConfigMap): ObjectContent {
  const texts = Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'utf8')] as const);
  return new Map<string, Uint8Array>([...texts, ...decodeAll(binaryData)]);
}

export function secretContent({ data }: Secret): ObjectContent {
  return decodeAll(data);
}

function decodeAll(data: Readonly<Record<string, string>> | null | undefined): ObjectContent {
  return new Map(Object.entries(data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]));
}
