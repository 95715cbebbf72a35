import { once } from 'node:events';
import { Readable } from 'node:stream';
import { InterlinkError, type LogRequest, type PingReply, type PodPhase, type PodStatus } from '@interlink/contract';
import type { Backend, Reporter } from '../backend.ts';
import type { Job } from '../job.ts';

/** The jobs at a site, by id: they outlive any sidecar. */
export type MemorySite = Map<string, Job>;

/** A site in memory. Each step can be replaced by one that fails, waits or loses its answer. */
export class MemoryBackend implements Backend {
  readonly kind = 'memory';
  readonly site: MemorySite;
  readonly submits: Job[] = [];
  readonly cancels: { readonly uid: string; readonly deadline: number; readonly signal: AbortSignal }[] = [];
  reporter: Reporter | undefined;

  check: (job: Job) => void = () => undefined;
  /** Before the job is made. */
  beforeSubmit: (job: Job) => void | Promise<void> = () => undefined;
  /** After it was made, before the sidecar hears of it. */
  afterSubmit: (job: Job) => void | Promise<void> = () => undefined;
  /** How the job's processes come to their end. */
  stop: (job: Job, signal: AbortSignal) => void | Promise<void> = () => undefined;
  /** The site is lost when it resolves; by default it never does. */
  lost: () => Promise<unknown> = () => new Promise(() => undefined);

  constructor(site: MemorySite = new Map()) {
    this.site = site;
  }

  async submit(job: Job): Promise<string> {
    this.submits.push(job);
    await this.beforeSubmit(job);
    this.site.set(job.id, job);
    await this.afterSubmit(job);
    return `job-${job.id}`;
  }

  async cancel(job: Job, deadline: number, signal: AbortSignal): Promise<void> {
    this.cancels.push({ uid: job.uid, deadline, signal });
    await this.stop(job, signal);
    if (this.site.has(job.id)) this.reporter?.status(job, statusOf(job, 'Failed', 143));
    this.site.delete(job.id);
  }

  async observe(jobs: () => Iterable<Job>, report: Reporter, signal: AbortSignal): Promise<void> {
    this.reporter = report;
    for (const job of jobs()) if (this.site.has(job.id)) report.status(job, statusOf(job, 'Running'));
    report.synced();
    const lost = this.lost().then(() => {
      throw new InterlinkError('Unavailable', 'the site went away');
    });
    await Promise.race([lost, signal.aborted ? undefined : once(signal, 'abort')]);
  }

  logs(job: Job, request: LogRequest): Promise<Readable> {
    return Promise.resolve(Readable.from([`log of ${request.ContainerName} in ${job.id}`]));
  }

  capacity(): Promise<PingReply> {
    return Promise.resolve({ status: 'ok', resources: { cpu: '4' } });
  }
}

export function statusOf(job: Job, phase: PodPhase, exitCode?: number): PodStatus {
  const { name, namespace } = job.pod.metadata;
  const state = exitCode === undefined ? { running: {} } : { terminated: { exitCode } };
  const containers = job.pod.spec.containers.map((container) => ({
    name: container.name,
    state,
    ready: exitCode === undefined,
    restartCount: 0,
    image: '',
    imageID: '',
  }));
  return { name, namespace, UID: job.uid, JID: `job-${job.id}`, phase, containers };
}
