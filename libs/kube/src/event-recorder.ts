import { z } from 'zod';
import type { KubeClient } from './client.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isAlreadyExists, isNotFound, isUnreachable } from './errors.ts';
import { type EventFacts, eventBody, eventNamespace, eventPath } from './event-object.ts';
import { WorkQueue } from './work-queue.ts';

export interface EventRecorderOptions {
  client: KubeClient;
  /** Who reports, e.g. `interlink-vk-node`, and from where. */
  component: string;
  host: string;
  /** Told of events that were given up; each is also counted as dropped. */
  onError: (error: unknown) => void;
  /** Events not yet written at most, about 1 kB each; what comes beyond is dropped. Default 1000. */
  queueSize?: number | undefined;
  clock?: Clock | undefined;
}

/** One Event object and what has been written of it. */
interface Series extends EventFacts {
  written: number;
  writtenAt: number;
  attempts: number;
}

const maxMessageLength = 1024;
const defaultQueueSize = 1000;
const maxSeries = 4096;
const maxAttempts = 5;
const repeatPauseMs = 10_000;
/** Few: in a burst what happens is written before the news of it. */
const concurrency = 4;
const timeoutMs = 10_000;

/**
 * Writes Events in the background. The same reason and message for the same object become one Event that counts, written
 * at most once in 10 s. Events are news, not state: what cannot be written after some attempts is dropped and counted.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #queue: WorkQueue;
  /** By key, the least recently used first. */
  readonly #series = new Map<string, Series>();
  readonly #boot = Math.floor(Math.random() * 0xffffff).toString(16);
  #names = 0;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new WorkQueue({
      concurrency,
      handler: (key) => this.#write(key),
      // Reported when given up; the attempts before are not news.
      onError: () => undefined,
      baseDelayMs: 1000,
      clock: this.#clock,
    });
  }

  get #queueSize(): number {
    return this.#options.queueSize ?? defaultQueueSize;
  }

  /** Events that were never written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes an Event in and returns at once; it is written while `run` runs. */
  event(facts: Pick<EventFacts, 'involved' | 'type' | 'reason' | 'message'>): void {
    const message = facts.message.slice(0, maxMessageLength);
    const key = JSON.stringify([facts.involved.uid, facts.involved.fieldPath, facts.type, facts.reason, message]);
    const known = this.#series.get(key);
    const pending = known !== undefined && known.written < known.count;
    if (!pending && this.#queue.length + this.#queue.delayed >= this.#queueSize) {
      this.#dropped += 1;
      return;
    }
    const now = this.#clock.date();
    const series = known ?? this.#begin({ ...facts, message }, now);
    series.count += 1;
    series.last = now;
    this.#series.delete(key);
    this.#series.set(key, series);
    this.#evict();
    if (pending) return;
    this.#queue.addAfter(key, series.written === 0 ? 0 : series.writtenAt + repeatPauseMs - this.#clock.now());
  }

  /** Writes until `signal` aborts; what is not written then is lost, so `flush` first. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /** Writes what waits, for at most `limitMs`. */
  async flush(limitMs = 3000): Promise<void> {
    const done = new AbortController();
    await Promise.race([this.#drain(), sleep(limitMs, done.signal, this.#clock)]);
    done.abort();
  }

  async #drain(): Promise<void> {
    await this.#queue.idle();
    this.#queue.hurry();
    await this.#queue.idle();
  }

  #begin(facts: Pick<EventFacts, 'involved' | 'type' | 'reason' | 'message'>, now: Date): Series {
    this.#names += 1;
    const { component, host } = this.#options;
    const suffix = `${now.getTime().toString(16)}${this.#boot}${this.#names.toString(16)}`;
    return {
      ...facts,
      suffix,
      component,
      host,
      count: 0,
      first: now,
      last: now,
      written: 0,
      writtenAt: 0,
      attempts: 0,
    };
  }

  #evict(): void {
    if (this.#series.size <= Math.max(maxSeries, this.#queueSize)) return;
    for (const [key, series] of this.#series) {
      this.#series.delete(key);
      if (series.written < series.count) this.#dropped += 1;
      return;
    }
  }

  async #write(key: string): Promise<void> {
    const series = this.#series.get(key);
    if (series === undefined || series.written === series.count) return;
    const { count, written } = series;
    try {
      await (written === 0 ? this.#create(series) : this.#update(series));
    } catch (error) {
      series.attempts += 1;
      if (isUnreachable(error) && series.attempts < maxAttempts) throw error;
      this.#dropped += 1;
      this.#options.onError(error);
      // Forgotten as a whole: should it happen again, it begins anew.
      this.#series.delete(key);
      return;
    }
    series.attempts = 0;
    series.written = count;
    series.writtenAt = this.#clock.now();
    if (series.count > count) this.#queue.addAfter(key, repeatPauseMs);
  }

  async #create(series: Series): Promise<void> {
    const path = eventPath(eventNamespace(series));
    try {
      await this.#options.client.create({ path, body: eventBody(series), timeoutMs, schema: z.unknown() });
    } catch (error) {
      // The answer to our first attempt was lost.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #update(series: Series): Promise<void> {
    const { metadata, count, lastTimestamp } = eventBody(series);
    const path = eventPath(metadata.namespace, metadata.name);
    try {
      await this.#options.client.patch({
        type: 'merge',
        path,
        body: { count, lastTimestamp },
        timeoutMs,
        schema: z.unknown(),
      });
    } catch (error) {
      // Events live for an hour.
      if (!isNotFound(error)) throw error;
      await this.#create(series);
    }
  }
}
