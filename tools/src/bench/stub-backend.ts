import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { PingReply, PodStatus } from '@interlink/contract';
import type { ClientObserver } from '@interlink/service-kit';
import type { Backend, Job, Reporter } from '@interlink/sidecar-kit';

export interface StubOptions {
  /** From submit to Running. */
  readonly delayMs: number;
  readonly observe: ClientObserver;
}

interface StubJob {
  readonly job: Job;
  readonly timer: NodeJS.Timeout | undefined;
  startedAt: string | undefined;
  exitCode: number | undefined;
}

/** A site in memory: a pod runs as soon as it is submitted and until it is told to end. It costs next to nothing. */
export class StubBackend implements Backend {
  readonly kind = 'stub';
  readonly #o: StubOptions;
  readonly #jobs = new Map<string, StubJob>();
  #reporter: Reporter | undefined;

  constructor(options: StubOptions) {
    this.#o = options;
  }

  check(): void {
    // All pods can run here.
  }

  submit(job: Job): Promise<string> {
    if (!this.#jobs.has(job.id)) {
      const { delayMs } = this.#o;
      const timer = delayMs > 0 ? setTimeout(() => this.#begin(job.id), delayMs) : undefined;
      this.#jobs.set(job.id, { job, timer, startedAt: undefined, exitCode: undefined });
      // After the answer to the create, as at every real site.
      if (timer === undefined) setImmediate(() => this.#begin(job.id));
    }
    return Promise.resolve(jobIdOf(job));
  }

  cancel({ id }: Job): Promise<void> {
    const known = this.#jobs.get(id);
    clearTimeout(known?.timer);
    this.#end(id, 143);
    this.#jobs.delete(id);
    return Promise.resolve();
  }

  /** Ends every pod that runs. @returns how many. */
  endAll(exitCode: number): number {
    let ended = 0;
    for (const id of this.#jobs.keys()) if (this.#end(id, exitCode)) ended += 1;
    return ended;
  }

  async observe(_jobs: () => Iterable<Job>, report: Reporter, signal: AbortSignal): Promise<void> {
    this.#reporter = report;
    report.synced();
    if (!signal.aborted) await once(signal, 'abort');
  }

  logs(): Promise<Readable> {
    return Promise.resolve(Readable.from([]));
  }

  capacity(): Promise<PingReply> {
    this.#o.observe('capacity', 'ok', 0);
    return Promise.resolve({ status: 'ok', resources: { cpu: '100000', memory: '100Ti', pods: '100000' } });
  }

  #begin(id: string): void {
    const known = this.#jobs.get(id);
    if (known === undefined || known.startedAt !== undefined) return;
    known.startedAt = new Date().toISOString();
    this.#reporter?.status(known.job, statusOf(known));
  }

  #end(id: string, exitCode: number): boolean {
    const known = this.#jobs.get(id);
    if (known?.startedAt === undefined || known.exitCode !== undefined) return false;
    known.exitCode = exitCode;
    this.#reporter?.status(known.job, statusOf(known));
    return true;
  }
}

function statusOf({ job, startedAt, exitCode }: StubJob): PodStatus {
  const { name, namespace } = job.pod.metadata;
  const finishedAt = new Date().toISOString();
  const isRunning = exitCode === undefined;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  const containers = job.pod.spec.containers.map((container) => ({
    name: container.name,
    state: isRunning ? { running: { startedAt } } : { terminated: { exitCode, reason, startedAt, finishedAt } },
    ready: isRunning,
    started: isRunning,
    restartCount: 0,
    image: container.image ?? '',
    imageID: '',
  }));
  const phase = isRunning ? 'Running' : exitCode === 0 ? 'Succeeded' : 'Failed';
  return { name, namespace, UID: job.uid, JID: jobIdOf(job), phase, startTime: job.startTime, containers };
}

function jobIdOf(job: Job): string {
  return `stub-${job.id}`;
}
