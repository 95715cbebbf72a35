import type { Duplex, Readable } from 'node:stream';
import type {
  AttachRequest,
  CommandStreams,
  ExecRequest,
  LogRequest,
  PingReply,
  PodStatus,
  PortForwardRequest,
  SiteStats,
} from '@interlink/contract';
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

  /**
   * The job as it is after a change in the cluster (see updateRequestSchema); kept already, so that a later start finds
   * it. May be called again with what has been applied. Without this method the site takes no updates.
   */
  update?(job: Job, signal: AbortSignal): Promise<void>;

  logs(job: Job, request: LogRequest, signal: AbortSignal): Promise<Readable>;

  /**
   * Each of these four is optional, and the capabilities say which there are. The signal is for the start alone: what
   * it gives lives on until it is closed. Streams are read as slowly as their reader wants, without growing.
   */
  exec?(job: Job, request: ExecRequest, signal: AbortSignal): Promise<CommandStreams>;
  attach?(job: Job, request: AttachRequest, signal: AbortSignal): Promise<CommandStreams>;
  /** A connection to a port on the pod's loopback, each of whose directions ends by itself. */
  portForward?(job: Job, request: PortForwardRequest, signal: AbortSignal): Promise<Duplex>;
  /** What these jobs use now; those that are not running are left out. */
  stats?(jobs: readonly Job[], signal: AbortSignal): Promise<SiteStats['pods']>;

  /** Site total minus foreign use, never minus our own jobs: the scheduler subtracts those itself. */
  capacity(signal: AbortSignal): Promise<PingReply>;
}
