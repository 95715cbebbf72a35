import { z } from 'zod';
import { backoffDelay } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isAborted, isGone } from './errors.ts';
import type { KubeObject, StoreView } from './object-store.ts';
import { ReflectedObjects, type ReflectorHandlers, versionOf } from './reflected-objects.ts';

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient;
  /** Path of the collection, e.g. `/api/v1/pods` or `/api/v1/namespaces/a/configmaps`. */
  path: string;
  /** Lists of the API leave out `kind` and `apiVersion` of their items: do not require them. */
  schema: z.ZodType<T>;
  handlers: ReflectorHandlers<T>;
  /** Told of everything that goes wrong; the reflector goes on in any case. */
  onError: (error: Error) => void;
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
}

const pageSize = 500;
const listTimeoutMs = 60_000;
/** A watch that ended after this long without an event was in order: its resource is quiet. */
const standingMs = 5_000;
const backoffLimits = { baseMs: 800, maxMs: 30_000 };

const pageSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

/** Keeps the objects of one collection at hand: lists it, watches it, and lists again only when it has to. */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #objects: ReflectedObjects<T>;
  readonly #clock: Clock;
  #hasSynced = false;
  /** Watch on from here; undefined means list. */
  #version: string | undefined;
  #failures = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#objects = new ReflectedObjects(options.schema, options.handlers, (error) => this.#report(error));
  }

  get store(): StoreView<T> {
    return this.#objects.store;
  }

  /** Whether one list has been complete. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Runs until `signal` aborts; whatever fails is tried again after 0.8 to 30 s. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#list(signal);
        if (await this.#watch(signal)) {
          this.#failures = 0;
          continue;
        }
      } catch (error) {
        if (isAborted(error) && signal.aborted) return;
        if (isGone(error)) this.#version = undefined;
        else this.#report(error);
      }
      if (!signal.aborted) await this.#pause(signal);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    try {
      return await this.#listPaged(signal, pageSize);
    } catch (error) {
      if (!isGone(error)) throw error;
      // The list was too slow for its own continue token: in one piece there is none.
      return this.#listPaged(signal, undefined);
    }
  }

  async #listPaged(signal: AbortSignal, limit: number | undefined): Promise<string> {
    const seen = new Set<string>();
    let token: string | undefined;
    for (;;) {
      const page = await this.#options.client.get({
        path: this.#options.path,
        query: { ...this.#selectors(), limit, continue: token },
        signal,
        timeoutMs: listTimeoutMs,
        schema: pageSchema,
      });
      for (const item of page.items ?? []) {
        const key = this.#objects.upsert(item);
        if (key !== undefined) seen.add(key);
      }
      token = page.metadata.continue || undefined;
      if (token !== undefined) continue;
      this.#hasSynced = true;
      this.#objects.retain(seen);
      return page.metadata.resourceVersion;
    }
  }

  /** Whether the watch brought anything or stood for a while: one that always ends at once must not spin. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const query = { ...this.#selectors(), resourceVersion: this.#version };
    const started = this.#clock.now();
    let progress = false;
    for await (const { type, object } of this.#options.client.watch({ path: this.#options.path, query, signal })) {
      if (type === 'DELETED') this.#objects.remove(object);
      else if (type !== 'BOOKMARK') this.#objects.upsert(object);
      this.#version = versionOf(object) ?? this.#version;
      this.#failures = 0;
      progress = true;
    }
    return progress || this.#clock.now() - started >= standingMs;
  }

  #selectors(): { fieldSelector: string | undefined; labelSelector: string | undefined } {
    return { fieldSelector: this.#options.fieldSelector, labelSelector: this.#options.labelSelector };
  }

  async #pause(signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const ms = backoffDelay(this.#failures, backoffLimits, this.#options.random ?? Math.random);
    await sleep(ms, signal, this.#clock);
  }

  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onError(new Error(`reflector of ${this.#options.path}: ${message}`, { cause: error }));
  }
}
