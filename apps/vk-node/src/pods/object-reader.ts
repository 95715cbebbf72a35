import { configMapSchema, secretSchema, type ConfigMap, type Secret } from '@interlink/contract';
import { isNotFound, type KubeClient } from '@interlink/kube';
import type { z } from 'zod';

interface Read<T> {
  /** When the request was sent, ms since the epoch. */
  readonly sentAt: number;
  readonly object: Promise<T | undefined>;
}

/** Names an object for whoever remembers its version. */
export function objectKey(kind: 'ConfigMap' | 'Secret', namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}

/** The resourceVersion; of one that is not there, a word that is none. */
export function versionOf(object: ConfigMap | Secret | undefined): string {
  return object === undefined ? 'absent' : (object.metadata.resourceVersion ?? '');
}

const keepMs = 60_000;
const maxKept = 2_000;

/**
 * Reads ConfigMaps and Secrets one by one (vk-node may not list or watch them), each once for however many pods name
 * it: a read that began after a pod was seen is fresh enough for that pod.
 */
export class ObjectReader {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #reads = new Map<string, Read<unknown>>();
  readonly #now: () => number;

  constructor(client: Pick<KubeClient, 'get'>, now: () => number = Date.now) {
    this.#client = client;
    this.#now = now;
  }

  /** @returns undefined when there is none. */
  configMap(namespace: string, name: string, notBefore: number): Promise<ConfigMap | undefined> {
    return this.#read(`/api/v1/namespaces/${namespace}/configmaps/${name}`, configMapSchema, notBefore);
  }

  secret(namespace: string, name: string, notBefore: number): Promise<Secret | undefined> {
    return this.#read(`/api/v1/namespaces/${namespace}/secrets/${name}`, secretSchema, notBefore);
  }

  async #read<T>(path: string, schema: z.ZodType<T>, notBefore: number): Promise<T | undefined> {
    const known = this.#reads.get(path);
    if (known !== undefined && known.sentAt >= notBefore) return schema.optional().parse(await known.object);
    const read: Read<T> = { sentAt: this.#now(), object: this.#get(path, schema) };
    this.#keep(path, read);
    try {
      return await read.object;
    } catch (error) {
      if (this.#reads.get(path) === read) this.#reads.delete(path);
      throw error;
    }
  }

  async #get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    try {
      return await this.#client.get({ path, schema });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Oldest first in the map, so dropping from the front keeps it bounded and secrets no longer than needed. */
  #keep(path: string, read: Read<unknown>): void {
    this.#reads.delete(path);
    this.#reads.set(path, read);
    for (const [oldPath, old] of this.#reads) {
      if (this.#reads.size <= maxKept && old.sentAt > this.#now() - keepMs) break;
      if (oldPath !== path) this.#reads.delete(oldPath);
    }
  }
}
