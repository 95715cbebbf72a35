import type { Readable } from 'node:stream';
import type { LogRequest, PingReply, PodStatus } from '@interlink/contract';
import type { Job } from './job.ts';

/** How a backend tells what it sees at the site. Reports of a status that has not changed are dropped by the kit. */
export interface Reporter {
  status(job: Job, status: PodStatus): void;
  /** Every job has been looked at once since `observe` began. */
  synced(): void;
}

/**
 * A site. Everything else that a sidecar does (HTTP, idempotency, spool, tombstones, events) is the kit's.
 * All methods throw InterlinkError: `Invalid` = can never run here, `Unavailable` = the site does not answer now.
 */
export interface Backend {
  /** `docker`, `slurm`, ... */
  readonly kind: string;

  /** Refuses, by field, what this site can never run. Called before anything is written. */
  check(job: Job): void;

  /**
   * Makes the job exist and returns its id at the site. Called again after a crash or an `Unavailable`, so it must
   * find what an earlier call has made (by the job's id) rather than make it twice.
   */
  submit(job: Job, signal: AbortSignal): Promise<string>;

  /**
   * Stops the job within `deadline` (ms since the epoch) and removes all that is left of it at the site. Reports the
   * final status on the way. Resolves when nothing is left; called again after a crash. An aborted signal means that
   * a shorter deadline follows.
   */
  cancel(job: Job, deadline: number, signal: AbortSignal): Promise<void>;

  /**
   * Watches the site until the signal aborts; throws when the site is lost (the kit says so to its readers and calls
   * again after a while). `jobs` gives those that are wanted now.
   */
  observe(jobs: () => Iterable<Job>, report: Reporter, signal: AbortSignal): Promise<void>;

  logs(job: Job, request: LogRequest, signal: AbortSignal): Promise<Readable>;

  /** Site total minus foreign use, never minus our own jobs: the scheduler subtracts those itself. */
  capacity(signal: AbortSignal): Promise<PingReply>;
}
