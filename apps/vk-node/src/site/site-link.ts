import { setTimeout as sleep } from 'node:timers/promises';
import {
  InterlinkError,
  isCode,
  type Capabilities,
  type ContractClient,
  type Pod,
  type PodStatus,
  type SiteEvent,
} from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import { pollClassic } from './classic-poll.ts';

export type LinkState =
  | { readonly state: 'starting' }
  | { readonly state: 'up'; readonly site: string }
  | { readonly state: 'apiUnavailable' | 'accessDenied' | 'siteUnavailable'; readonly message: string };

export interface LinkHandlers {
  /** A pod's status has changed, or is told again. */
  readonly status: (uid: string, status: PodStatus) => void;
  /** The site's state is known whole: a pod that has no status now is not there. */
  readonly snapshot: () => void;
  readonly state: (state: LinkState) => void;
  /** A classic plugin, when asked, said nothing of this pod. */
  readonly missing: (uid: string) => void;
}

export interface SiteLinkOptions {
  readonly client: Pick<ContractClient, 'capabilities' | 'events' | 'ping' | 'status'>;
  readonly owner: string;
  readonly handlers: LinkHandlers;
  /** The pods that a classic plugin has to be asked for: submitted, and not ended. */
  readonly submitted: () => Pod[];
  /** Between two looks at a classic plugin, ms. */
  readonly classicPollMs: number;
  readonly log: Pick<Logger, 'warn'>;
}

interface Connection {
  readonly seen: Set<string>;
  synced: boolean;
}

/** A classic plugin does not say its name. */
const classicSite = 'classic';
const minRetryMs = 100;
const maxRetryMs = 10_000;

/** What the site says of our pods, kept up to date by its event stream. */
export class SiteLink {
  readonly #o: SiteLinkOptions;
  readonly #statuses = new Map<string, PodStatus>();
  #state: LinkState = { state: 'starting' };
  #capabilities: Capabilities | undefined;
  #isClassic = false;
  #site: string | undefined;
  #cursor: string | undefined;
  /** Since the last snapshot nothing was missed, so absence means absence. */
  #whole = false;

  constructor(options: SiteLinkOptions) {
    this.#o = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** What the site could do when it was last asked. */
  get capabilities(): Capabilities | undefined {
    return this.#capabilities;
  }

  /** The site is one of interLink's plugins: core endpoints only, no events. */
  get isClassic(): boolean {
    return this.#isClassic;
  }

  /** The site that answered last. */
  get site(): string | undefined {
    return this.#site;
  }

  /** Whether a pod without a status is known not to be at the site. */
  get isWhole(): boolean {
    return this.#whole && this.#state.state === 'up';
  }

  status(uid: string): PodStatus | undefined {
    return this.#statuses.get(uid);
  }

  uids(): Iterable<string> {
    return this.#statuses.keys();
  }

  forget(uid: string): void {
    this.#statuses.delete(uid);
  }

  /** Until the signal aborts; connects again with back-off whenever the stream ends. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => {
          failures = 0;
        });
      } catch (thrown) {
        if (signal.aborted) return;
        this.#lost(InterlinkError.from(thrown, 'Unavailable'));
      }
      const pause = Math.min(maxRetryMs, minRetryMs * 2 ** failures++) * (0.5 + Math.random());
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  async #follow(signal: AbortSignal, onLine: () => void): Promise<void> {
    const { client, owner } = this.#o;
    const connection: Connection = { seen: new Set(), synced: false };
    let areCapabilitiesKnown = false;
    const learnCapabilities = async () => {
      this.#capabilities = await client.capabilities({ owner, signal });
      this.#isClassic = false;
      areCapabilitiesKnown = true;
    };
    try {
      await learnCapabilities();
    } catch (error) {
      if (isCode(error, 'NotFound')) {
        this.#capabilities = undefined;
        this.#isClassic = true;
        return this.#poll(signal, onLine);
      }
      // A site that is away cannot tell, and the event stream will say so; an API that is away has no stream either.
      if (!isCode(error, 'Unavailable')) throw error;
    }
    for await (const event of client.events(this.#cursor, { owner, signal })) {
      onLine();
      // What comes back may be another version.
      if (event.type === 'siteDown') areCapabilitiesKnown = false;
      if (event.type === 'synced' && !areCapabilitiesKnown) await learnCapabilities();
      this.#take(event, connection);
    }
  }

  async #poll(signal: AbortSignal, onAnswer: () => void): Promise<void> {
    const { client, owner, handlers, submitted, classicPollMs } = this.#o;
    while (!signal.aborted) {
      await client.ping({ owner, signal });
      const { statuses, missing } = await pollClassic(client, submitted(), { owner, signal });
      onAnswer();
      this.#whole = true;
      this.#site = classicSite;
      this.#enter({ state: 'up', site: classicSite });
      for (const status of statuses) {
        this.#statuses.set(status.UID, status);
        handlers.status(status.UID, status);
      }
      for (const uid of missing) {
        this.#statuses.delete(uid);
        handlers.missing(uid);
      }
      await sleep(classicPollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #take(event: SiteEvent, connection: Connection): void {
    switch (event.type) {
      case 'status': {
        const { UID } = event.status;
        connection.seen.add(UID);
        // A cursor from the middle of a snapshot would skip the rest of it.
        if (connection.synced) this.#cursor = event.cursor;
        this.#statuses.set(UID, event.status);
        this.#o.handlers.status(UID, event.status);
        return;
      }
      case 'synced':
        this.#cursor = event.cursor;
        connection.synced = true;
        if (event.snapshot) {
          for (const uid of this.#statuses.keys()) if (!connection.seen.has(uid)) this.#statuses.delete(uid);
          this.#whole = true;
        }
        this.#site = event.site;
        this.#enter({ state: 'up', site: event.site });
        if (event.snapshot) this.#o.handlers.snapshot();
        return;
      case 'bookmark':
        if (connection.synced) this.#cursor = event.cursor;
        return;
      case 'siteDown':
        // What follows may be a snapshot of its own.
        connection.seen.clear();
        connection.synced = false;
        this.#enter({ state: 'siteUnavailable', message: event.message });
    }
  }

  #lost(error: InterlinkError): void {
    const denied = error.code === 'Denied' || error.code === 'Unauthenticated';
    this.#o.log.warn({ err: error }, 'the event stream is lost; connecting again');
    this.#enter({ state: denied ? 'accessDenied' : 'apiUnavailable', message: error.message });
  }

  #enter(state: LinkState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#o.handlers.state(state);
  }
}
