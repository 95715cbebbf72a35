import { z } from 'zod';
import { keyOf, type KubeObject, ObjectStore } from './object-store.ts';

/** Synchronous: what takes time belongs into a work queue. */
export interface ReflectorHandlers<T> {
  added(object: T): void;
  modified(object: T, old: T): void;
  /** The last state known: of the deletion event, or, when the deletion was missed, of the store. */
  deleted(old: T): void;
  /** After every complete list, the first and those after an interruption: what the store lacks now does not exist. */
  synced(): void;
}

const identitySchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
  }),
});

/**
 * Turns raw objects into store and handler calls. An object that does not parse is reported and skipped, but what it
 * is still counts: it does not make an older state of itself disappear, and it does replace another object of its name.
 */
export class ReflectedObjects<T extends KubeObject> {
  readonly store = new ObjectStore<T>();
  readonly #schema: z.ZodType<T>;
  readonly #handlers: ReflectorHandlers<T>;
  readonly #onError: (error: Error) => void;

  constructor(schema: z.ZodType<T>, handlers: ReflectorHandlers<T>, onError: (error: Error) => void) {
    this.#schema = schema;
    this.#handlers = handlers;
    this.#onError = onError;
  }

  /** Takes in the present state of an object; tells its key, where it has one. */
  upsert(raw: unknown): string | undefined {
    const parsed = this.#schema.safeParse(raw);
    const identity = parsed.success ? parsed.data : this.#skip(raw, parsed.error);
    if (identity === undefined) return undefined;
    const { namespace, name, uid } = identity.metadata;
    let old = this.store.get(namespace, name);
    if (old !== undefined && old.metadata.uid !== uid) {
      this.#remove(old, old);
      old = undefined;
    }
    if (parsed.success) this.#put(parsed.data, old);
    return keyOf(identity.metadata);
  }

  remove(raw: unknown): void {
    const identity = identitySchema.safeParse(raw);
    if (!identity.success) {
      this.#skip(raw, identity.error);
      return;
    }
    const { namespace, name, uid } = identity.data.metadata;
    const old = this.store.get(namespace, name);
    if (old?.metadata.uid !== uid) return;
    const last = this.#schema.safeParse(raw);
    this.#remove(old, last.success ? last.data : old);
  }

  /** After a complete list: whatever it did not name is gone. */
  retain(keys: ReadonlySet<string>): void {
    for (const object of [...this.store.values()]) {
      if (!keys.has(keyOf(object.metadata))) this.#remove(object, object);
    }
    this.#call('synced', undefined, () => this.#handlers.synced());
  }

  #put(object: T, old: T | undefined): void {
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.store.set(object);
    if (old === undefined) this.#call('added', object, () => this.#handlers.added(object));
    else this.#call('modified', object, () => this.#handlers.modified(object, old));
  }

  #remove(old: T, last: T): void {
    this.store.delete(old);
    this.#call('deleted', old, () => this.#handlers.deleted(last));
  }

  #skip(raw: unknown, cause: z.ZodError): KubeObject | undefined {
    const identity = identitySchema.safeParse(raw);
    const who = identity.success ? keyOf(identity.data.metadata) : 'an object without identity';
    this.#onError(new Error(`${who} skipped: ${z.prettifyError(cause).slice(0, 500)}`, { cause }));
    return identity.success ? identity.data : undefined;
  }

  #call(what: string, object: T | undefined, handler: () => void): void {
    try {
      handler();
    } catch (cause) {
      const who = object === undefined ? '' : ` of ${keyOf(object.metadata)}`;
      this.#onError(new Error(`handler ${what}${who} failed: ${String(cause)}`, { cause }));
    }
  }
}

const versionSchema = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string().min(1) }) });

/** The version an event carries, to watch on from. */
export function versionOf(raw: unknown): string | undefined {
  const parsed = versionSchema.safeParse(raw);
  return parsed.success ? parsed.data.metadata.resourceVersion : undefined;
}
