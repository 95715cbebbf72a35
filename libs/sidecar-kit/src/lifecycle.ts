import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError, type CreateReply, type PodRef, type PodStatus, type RetrievedPod } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Backend } from './backend.ts';
import type { EventFeed } from './event-feed.ts';
import { newRecord, toJob, type Job, type JobRecord } from './job.ts';
import type { JobStore } from './job-store.ts';
import { lastWord } from './terminal.ts';

const submitDeadlineMs = 60_000;
const tombstoneMs = 24 * 3600 * 1000;
const sweepMs = 3600 * 1000;
const defaultGraceSeconds = 30;

interface Stop {
  deadline: number;
  readonly abort: AbortController;
}

export interface LifecycleOptions {
  readonly backend: Backend;
  readonly store: JobStore;
  readonly feed: EventFeed;
  readonly log: Logger;
  readonly now: () => number;
}

/** Create and delete, idempotent by (owner, UID), and what goes on in the background because of them. */
export class Lifecycle {
  readonly #o: LifecycleOptions;
  readonly #stops = new Map<string, Stop>();
  readonly #tasks = new Set<Promise<void>>();
  #life: AbortSignal = AbortSignal.abort();

  constructor(options: LifecycleOptions) {
    this.#o = options;
  }

  /** Takes up what the spool says was under way, then serves until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#life = signal;
    for (const record of this.#o.store.values()) {
      if (record.status) this.#o.feed.publish(record.owner, record.status, record.state === 'deleted');
      if (record.state === 'deleting') this.#stop(record);
      if (record.state === 'accepted' && record.jobId === '') this.#background(() => this.#submitAgain(record));
    }
    while (!signal.aborted) {
      await sleep(sweepMs, undefined, { signal }).catch(() => undefined);
      await this.#sweep();
    }
    await Promise.all(this.#tasks);
  }

  /** The jobs that are wanted now. */
  *jobs(): Generator<Job> {
    for (const record of this.#o.store.values()) {
      const job = record.state === 'accepted' ? toJob(record) : undefined;
      if (job) yield job;
    }
  }

  async create(owner: string, request: RetrievedPod): Promise<CreateReply> {
    const fresh = newRecord(owner, request, this.#o.now());
    return this.#o.store.exclusive(owner, fresh.uid, async () => {
      const known = this.#o.store.get(owner, fresh.uid);
      if (known !== undefined && known.state !== 'accepted') {
        throw new InterlinkError(
          'Gone',
          `pod ${known.namespace}/${known.name} (${known.uid}) was deleted here; it will not be started again`,
        );
      }
      const record = known ?? (await this.#accept(fresh));
      const jobId = record.jobId === '' ? await this.#submit(record) : record.jobId;
      return { PodUID: record.uid, PodJID: jobId };
    });
  }

  /** Returns when the delete is written down; the stop itself goes on in the background, across restarts. */
  async delete(owner: string, pod: PodRef): Promise<void> {
    const { uid, name, namespace } = pod.metadata;
    if (uid === '') throw new InterlinkError('Malformed', 'metadata.uid is empty', { field: 'metadata.uid' });
    await this.#o.store.exclusive(owner, uid, async () => {
      const now = this.#o.now();
      const record = this.#o.store.get(owner, uid);
      if (record?.state === 'deleted') return;
      if (record === undefined) {
        // Nothing to stop, but a create of this pod may still be on its way.
        await this.#o.store.put({
          owner,
          uid,
          name,
          namespace,
          state: 'deleted',
          jobId: '',
          acceptedAt: now,
          deletedAt: now,
        });
        return;
      }
      const deleteBy = Math.min(record.deleteBy ?? Infinity, now + graceSeconds(pod, record) * 1000);
      const deleting: JobRecord = { ...record, state: 'deleting', deleteBy };
      await this.#o.store.put(deleting);
      this.#stop(deleting);
    });
  }

  /** Called by the backend; what has not changed is dropped. */
  report(job: Job, status: PodStatus): void {
    const record = this.#o.store.get(job.owner, job.uid);
    if (record === undefined || record.state === 'deleted') return;
    if (JSON.stringify(this.#o.feed.latest(job.owner, job.uid)) === JSON.stringify(status)) return;
    this.#o.feed.publish(job.owner, status);
    this.#background(() =>
      this.#o.store.exclusive(job.owner, job.uid, async () => {
        const current = this.#o.store.get(job.owner, job.uid);
        const latest = this.#o.feed.latest(job.owner, job.uid);
        if (current === undefined || current.state === 'deleted' || latest === undefined || current.status === latest)
          return;
        await this.#o.store.put({ ...current, status: latest }, false);
      }),
    );
  }

  async #accept(fresh: JobRecord): Promise<JobRecord> {
    const job = toJob(fresh);
    if (job === undefined) throw new InterlinkError('Internal', 'a new record has no pod');
    this.#o.backend.check(job);
    await this.#o.store.put(fresh);
    return fresh;
  }

  async #submit(record: JobRecord): Promise<string> {
    const job = toJob(record);
    if (job === undefined) throw new InterlinkError('Internal', `the record of ${record.uid} has no pod`);
    try {
      const jobId = await this.#o.backend.submit(
        job,
        AbortSignal.any([this.#life, AbortSignal.timeout(submitDeadlineMs)]),
      );
      await this.#o.store.put({ ...(this.#o.store.get(record.owner, record.uid) ?? record), jobId });
      return jobId;
    } catch (thrown) {
      const error = InterlinkError.from(thrown, 'Unavailable');
      if (!error.retryable) await this.#o.store.remove(record);
      throw error;
    }
  }

  async #submitAgain(record: JobRecord): Promise<void> {
    await this.#retry(`submit of ${record.uid}`, this.#life, async () => {
      await this.#o.store.exclusive(record.owner, record.uid, async () => {
        const current = this.#o.store.get(record.owner, record.uid);
        if (current?.state === 'accepted' && current.jobId === '') await this.#submit(current);
      });
    });
  }

  #stop(record: JobRecord): void {
    const deadline = record.deleteBy ?? this.#o.now();
    const running = this.#stops.get(record.uid + record.owner);
    if (running !== undefined) {
      if (deadline < running.deadline) {
        running.deadline = deadline;
        running.abort.abort();
      }
      return;
    }
    this.#background(() => this.#stopUntilGone(record, deadline));
  }

  async #stopUntilGone(record: JobRecord, deadline: number): Promise<void> {
    const job = toJob(record);
    const key = record.uid + record.owner;
    let wanted = deadline;
    while (job !== undefined && !this.#life.aborted) {
      const stop: Stop = { deadline: wanted, abort: new AbortController() };
      this.#stops.set(key, stop);
      const signal = AbortSignal.any([this.#life, stop.abort.signal]);
      await this.#retry(`stop of ${record.uid}`, signal, () => this.#o.backend.cancel(job, wanted, signal));
      if (!stop.abort.signal.aborted) break;
      wanted = stop.deadline;
    }
    this.#stops.delete(key);
    if (!this.#life.aborted) await this.#bury(record);
  }

  async #bury(record: JobRecord): Promise<void> {
    await this.#o.store.exclusive(record.owner, record.uid, async () => {
      const now = this.#o.now();
      const { payload: _, ...rest } = this.#o.store.get(record.owner, record.uid) ?? record;
      const latest = this.#o.feed.latest(record.owner, record.uid) ?? {
        name: record.name,
        namespace: record.namespace,
        UID: record.uid,
        JID: record.jobId,
      };
      const status = lastWord(latest, new Date(now).toISOString());
      await this.#o.store.put({ ...rest, state: 'deleted', deletedAt: now, status });
      this.#o.feed.publish(record.owner, status, true);
    });
  }

  async #sweep(): Promise<void> {
    const expired = [...this.#o.store.values()].filter(
      (record) => record.state === 'deleted' && (record.deletedAt ?? 0) < this.#o.now() - tombstoneMs,
    );
    for (const record of expired) {
      await this.#o.store.remove(record);
      this.#o.feed.forget(record.owner, record.uid);
    }
  }

  /**
   * Until it succeeds or the signal aborts, whatever the error: a refused submit has removed its record, and a
   * tombstone for what could not be stopped would leave it at the site for ever.
   */
  async #retry(what: string, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await run();
      } catch (thrown) {
        if (signal.aborted) return;
        const error = InterlinkError.from(thrown, 'Unavailable');
        this.#o.log.warn({ err: error, attempt }, `${what} failed`);
        const delay = Math.min(30_000, 250 * 2 ** Math.min(attempt, 7)) * (0.5 + Math.random());
        await sleep(delay, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #background(run: () => Promise<void>): void {
    const task = run()
      .catch((err: unknown) => this.#o.log.error({ err }, 'background work failed'))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

function graceSeconds(pod: PodRef, record: JobRecord): number {
  return (
    pod.metadata.deletionGracePeriodSeconds ??
    record.payload?.pod.spec.terminationGracePeriodSeconds ??
    defaultGraceSeconds
  );
}
