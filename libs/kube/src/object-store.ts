/** What every object of the API has. */
export interface KubeObject {
  metadata: { name: string; namespace?: string | undefined; uid: string; resourceVersion: string };
}

/** The objects as the API server last told; read-only, do not change them. */
export interface StoreView<T extends KubeObject> {
  /** `namespace` is undefined for an object of the cluster. */
  get(namespace: string | undefined, name: string): T | undefined;
  values(): IterableIterator<T>;
  readonly size: number;
}

/** A reflector's objects by namespace and name. */
export class ObjectStore<T extends KubeObject> implements StoreView<T> {
  readonly #objects = new Map<string, T>();

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf({ namespace, name }));
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  set(object: T): void {
    this.#objects.set(keyOf(object.metadata), object);
  }

  delete(object: T): void {
    this.#objects.delete(keyOf(object.metadata));
  }
}

/** `namespace/name`, or `name` alone. */
export function keyOf({ namespace, name }: { namespace?: string | undefined; name: string }): string {
  return namespace ? `${namespace}/${name}` : name;
}
