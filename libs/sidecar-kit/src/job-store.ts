import type { Spool } from './spool.ts';
import { jobKey, type JobRecord } from './job.ts';

/** All records of this site in memory, each written through to the spool; changes of one job happen one at a time. */
export class JobStore {
  readonly #spool: Spool;
  readonly #records = new Map<string, JobRecord>();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  async load(onUnreadable: (file: string, cause: unknown) => void): Promise<void> {
    for (const record of await this.#spool.load(onUnreadable)) {
      this.#records.set(jobKey(record.owner, record.uid), record);
    }
  }

  get(owner: string, uid: string): JobRecord | undefined {
    return this.#records.get(jobKey(owner, uid));
  }

  values(): Iterable<JobRecord> {
    return this.#records.values();
  }

  get size(): number {
    return this.#records.size;
  }

  /** Runs `change` when all earlier changes of this job are over. */
  async exclusive<T>(owner: string, uid: string, change: () => Promise<T>): Promise<T> {
    const key = jobKey(owner, uid);
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(change);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** In the spool first, then in memory: what is answered to a caller has always been written. */
  async put(record: JobRecord, durable = true): Promise<void> {
    await this.#spool.save(record, durable);
    this.#records.set(jobKey(record.owner, record.uid), record);
  }

  async remove(record: JobRecord): Promise<void> {
    await this.#spool.remove(record);
    this.#records.delete(jobKey(record.owner, record.uid));
  }
}
