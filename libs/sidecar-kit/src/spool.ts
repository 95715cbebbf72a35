import { chmod, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InterlinkError } from '@interlink/contract';
import { jobKey, jobRecordSchema, type JobRecord } from './job.ts';

/**
 * The site's memory: one small file per job, 0600 in a 0700 folder (it holds the pod's secrets). A record is written
 * to a temporary name, synced and renamed, so that a crash leaves the old one or the new one, never half of one.
 */
export class Spool {
  readonly #folder: string;
  #temporaries = 0;
  #sync: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Spool> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // One that was there may be open to others.
      await chmod(folder, 0o700);
      return new Spool(folder);
    } catch (cause) {
      throw new InterlinkError(
        'Internal',
        `the spool folder ${folder} cannot be made: name one that this user can write`,
        { cause },
      );
    }
  }

  /**
   * All records. A file that cannot be read is reported and left alone: it blinds nobody else, and a human can look.
   * What a crash left unfinished (`*.tmp`) is removed.
   */
  async load(onUnreadable: (file: string, cause: unknown) => void): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    for (const file of await readdir(this.#folder)) {
      const path = join(this.#folder, file);
      if (file.endsWith('.tmp')) await rm(path, { force: true });
      if (!file.endsWith('.json')) continue;
      try {
        records.push(jobRecordSchema.parse(JSON.parse(await readFile(path, 'utf8'))));
      } catch (cause) {
        onUnreadable(path, cause);
      }
    }
    return records;
  }

  /** @param durable false for what can be learnt again from the site (a status): saves two syncs. */
  async save(record: JobRecord, durable = true): Promise<void> {
    const path = this.#path(record);
    const temporary = `${path}.${process.pid}-${this.#temporaries++}.tmp`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(record));
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      // A full disk must not be filled further by what is left of each attempt.
      await rm(temporary, { force: true });
      throw error;
    }
    if (durable) await this.#syncFolder();
  }

  async remove(record: JobRecord): Promise<void> {
    await rm(this.#path(record), { force: true });
  }

  /** One sync serves all renames that were done before it began: in a burst they share it. */
  #syncFolder(): Promise<void> {
    this.#nextSync ??= this.#sync
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined;
        this.#sync = syncFolder(this.#folder);
        return this.#sync;
      });
    return this.#nextSync;
  }

  #path(record: JobRecord): string {
    return join(this.#folder, `${jobKey(record.owner, record.uid)}.json`);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
