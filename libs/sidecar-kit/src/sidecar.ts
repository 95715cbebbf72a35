import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  InterlinkError,
  type AttachRequest,
  type CallContext,
  type Capabilities,
  type CommandStreams,
  type ContractHandlers,
  type CreateReply,
  type ExecRequest,
  type LogRequest,
  type PingReply,
  type PodRef,
  type PodStatus,
  type PortForwardRequest,
  type RetrievedPod,
  type SiteEvent,
  type SiteStats,
  type StreamHandlers,
  type UpdateRequest,
} from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Backend } from './backend.ts';
import { EventFeed } from './event-feed.ts';
import { toJob, type Job } from './job.ts';
import { JobStore } from './job-store.ts';
import { Lifecycle } from './lifecycle.ts';
import { Spool } from './spool.ts';
import { updateJob } from './update.ts';

const pingDeadlineMs = 10_000;
const statsDeadlineMs = 20_000;
const streamStartMs = 30_000;

export interface SidecarOptions {
  /** The site's name, in events, labels and messages. */
  readonly site: string;
  /** `docker-sidecar/0.1.0` */
  readonly server: string;
  readonly backend: Backend;
  readonly spoolFolder: string;
  readonly log: Logger;
  readonly now?: () => number;
}

/** The sidecar's side of the contract over any backend. */
export class Sidecar implements ContractHandlers<RetrievedPod>, StreamHandlers {
  readonly #o: SidecarOptions;
  readonly #store: JobStore;
  readonly #feed: EventFeed;
  readonly #lifecycle: Lifecycle;
  #life: AbortSignal = new AbortController().signal;

  private constructor(options: SidecarOptions, store: JobStore) {
    this.#o = options;
    this.#store = store;
    this.#feed = new EventFeed(options.site);
    const now = options.now ?? Date.now;
    this.#lifecycle = new Lifecycle({ backend: options.backend, store, feed: this.#feed, log: options.log, now });
  }

  static async open(options: SidecarOptions): Promise<Sidecar> {
    const store = new JobStore(await Spool.open(options.spoolFolder));
    await store.load((file, err) =>
      options.log.error({ err, file }, 'a spool file cannot be read; it is left as it is'),
    );
    return new Sidecar(options, store);
  }

  /** Why this sidecar is not ready for work; undefined when it is. */
  notReady(): string | undefined {
    return this.#feed.down;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#life = signal;
    await Promise.all([this.#lifecycle.run(signal), this.#watchSite(signal)]);
  }

  async create(request: RetrievedPod, call: CallContext): Promise<CreateReply> {
    return this.#lifecycle.create(call.owner, request);
  }

  async delete(pod: PodRef, call: CallContext): Promise<void> {
    return this.#lifecycle.delete(call.owner, pod);
  }

  /** A pod that is unknown here has no entry in the answer; the others are not affected by it. */
  status(pods: PodRef[], call: CallContext): Promise<PodStatus[]> {
    if (this.#feed.down !== undefined) return Promise.reject(new InterlinkError('Unavailable', this.#feed.down));
    return Promise.resolve(pods.flatMap((pod) => this.#feed.latest(call.owner, pod.metadata.uid) ?? []));
  }

  async ping(call: CallContext): Promise<PingReply> {
    return this.#o.backend.capacity(AbortSignal.any([call.signal, AbortSignal.timeout(pingDeadlineMs)]));
  }

  async logs(request: LogRequest, call: CallContext): Promise<Readable> {
    const job = this.#job(call.owner, { uid: request.PodUID, namespace: request.Namespace, name: request.PodName });
    return this.#o.backend.logs(job, request, call.signal);
  }

  capabilities(): Promise<Capabilities> {
    return Promise.resolve({
      contract: '1',
      server: this.#o.server,
      site: this.#o.site,
      kind: this.#o.backend.kind,
      features: { events: true, expandEnv: true, update: this.#o.backend.update !== undefined, ...this.#streams() },
    });
  }

  async exec(request: ExecRequest, call: CallContext): Promise<CommandStreams> {
    const { backend } = this.#o;
    if (backend.exec === undefined) throw this.#without('exec');
    return backend.exec(this.#jobOf(request, call), request, this.#start(call));
  }

  async attach(request: AttachRequest, call: CallContext): Promise<CommandStreams> {
    const { backend } = this.#o;
    if (backend.attach === undefined) throw this.#without('attach');
    return backend.attach(this.#jobOf(request, call), request, this.#start(call));
  }

  async portForward(request: PortForwardRequest, call: CallContext): Promise<Duplex> {
    const { backend } = this.#o;
    if (backend.portForward === undefined) throw this.#without('port-forward');
    return backend.portForward(this.#jobOf(request, call), request, this.#start(call));
  }

  async stats(call: CallContext): Promise<SiteStats> {
    const { backend, now = Date.now } = this.#o;
    if (backend.stats === undefined) throw this.#without('stats');
    const jobs = [...this.#lifecycle.jobs()].filter(({ owner }) => owner === call.owner);
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(statsDeadlineMs)]);
    return { pods: await backend.stats(jobs, signal), time: new Date(now()).toISOString() };
  }

  events(cursor: string | undefined, call: CallContext): AsyncIterable<SiteEvent> {
    // A stream that outlived the service's stop would hold it up to the end of its drain.
    return this.#feed.follow(call.owner, cursor, AbortSignal.any([call.signal, this.#life]));
  }

  async update(request: UpdateRequest, call: CallContext): Promise<void> {
    const { backend } = this.#o;
    if (backend.update === undefined) {
      const message = 'this sidecar does not take updates (see features.update of /capabilities)';
      throw new InterlinkError('NotFound', message);
    }
    await updateJob({ store: this.#store, backend }, call.owner, request, AbortSignal.any([call.signal, this.#life]));
  }

  #streams(): Pick<Capabilities['features'], 'exec' | 'attach' | 'portForward' | 'stats'> {
    const { backend } = this.#o;
    return {
      exec: backend.exec !== undefined,
      attach: backend.attach !== undefined,
      portForward: backend.portForward !== undefined,
      stats: backend.stats !== undefined,
    };
  }

  #without(what: string): InterlinkError {
    return new InterlinkError('NotFound', `site ${this.#o.site} has no ${what} (see features of /capabilities)`);
  }

  #start(call: CallContext): AbortSignal {
    return AbortSignal.any([call.signal, this.#life, AbortSignal.timeout(streamStartMs)]);
  }

  #jobOf({ podUID, namespace, podName }: PortForwardRequest | AttachRequest, call: CallContext): Job {
    return this.#job(call.owner, { uid: podUID, namespace, name: podName });
  }

  /** @throws InterlinkError NotFound, also for a pod of another owner. */
  #job(owner: string, pod: { uid: string; namespace: string; name: string }): Job {
    const record = this.#store.get(owner, pod.uid);
    const job = record && toJob(record);
    if (job !== undefined) return job;
    throw new InterlinkError('NotFound', `no pod ${pod.namespace}/${pod.name} (${pod.uid}) at site ${this.#o.site}`);
  }

  async #watchSite(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#o.backend.observe(
          () => this.#lifecycle.jobs(),
          {
            status: (job, status) => this.#lifecycle.report(job, status),
            synced: () => {
              failures = 0;
              this.#feed.siteUp();
            },
          },
          signal,
        );
      } catch (thrown) {
        const error = InterlinkError.from(thrown, 'Unavailable');
        if (signal.aborted) return;
        this.#feed.siteDown(`site ${this.#o.site}: ${error.message}`);
        this.#o.log.warn({ err: error }, 'the site is lost; trying again');
      }
      await sleep(Math.min(15_000, 200 * 2 ** Math.min(failures, 7)) * (0.5 + Math.random()), undefined, {
        signal,
      }).catch(() => undefined);
    }
  }
}
