import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  InterlinkError,
  type CallContext,
  type Capabilities,
  type ContractHandlers,
  type CreateReply,
  type LogRequest,
  type PingReply,
  type PodRef,
  type PodStatus,
  type RetrievedPod,
  type SiteEvent,
} from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Backend } from './backend.ts';
import { EventFeed } from './event-feed.ts';
import { toJob } from './job.ts';
import { JobStore } from './job-store.ts';
import { Lifecycle } from './lifecycle.ts';
import { Spool } from './spool.ts';

const pingDeadlineMs = 10_000;

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
export class Sidecar implements ContractHandlers<RetrievedPod> {
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
    const record = this.#store.get(call.owner, request.PodUID);
    const job = record && toJob(record);
    if (job === undefined) {
      throw new InterlinkError(
        'NotFound',
        `no pod ${request.Namespace}/${request.PodName} (${request.PodUID}) at site ${this.#o.site}`,
      );
    }
    return this.#o.backend.logs(job, request, call.signal);
  }

  capabilities(): Promise<Capabilities> {
    return Promise.resolve({
      contract: '1',
      server: this.#o.server,
      site: this.#o.site,
      kind: this.#o.backend.kind,
      features: { events: true, expandEnv: true, update: false },
    });
  }

  events(cursor: string | undefined, call: CallContext): AsyncIterable<SiteEvent> {
    // A stream that outlived the service's stop would hold it up to the end of its drain.
    return this.#feed.follow(call.owner, cursor, AbortSignal.any([call.signal, this.#life]));
  }

  update(): Promise<void> {
    return Promise.reject(
      new InterlinkError('NotFound', 'this sidecar does not take updates (see features.update of /capabilities)'),
    );
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
