import { randomBytes } from 'node:crypto';
import { bookmarkSeconds, type PodStatus, type SiteEvent } from '@interlink/contract';

interface Entry {
  readonly seq: number;
  readonly status: PodStatus;
  /** A tombstone's last word: told to those who follow, not part of a snapshot. */
  readonly final: boolean;
}

/** What one reader still has to be told; bounded by the number of its pods, since only the latest status counts. */
interface Reader {
  readonly pending: Map<string, Entry>;
  readonly notices: SiteEvent[];
  wake: () => void;
}

interface Owned {
  readonly entries: Map<string, Entry>;
  readonly readers: Set<Reader>;
}

/**
 * The statuses of all jobs and those who follow them, by owner. A cursor is `epoch.sequence`; an epoch is one life of
 * this process, so a cursor of an earlier one restarts the snapshot.
 */
export class EventFeed {
  readonly #site: string;
  readonly #epoch = randomBytes(6).toString('hex');
  readonly #owners = new Map<string, Owned>();
  #seq = 0;
  #down: string | undefined = 'the site has not been looked at yet';

  constructor(site: string) {
    this.#site = site;
  }

  /** Why the site cannot be seen now; undefined when it can. */
  get down(): string | undefined {
    return this.#down;
  }

  publish(owner: string, status: PodStatus, final = false): void {
    const owned = this.#owned(owner);
    const entry = { seq: ++this.#seq, status, final };
    owned.entries.set(status.UID, entry);
    for (const reader of owned.readers) {
      reader.pending.set(status.UID, entry);
      reader.wake();
    }
  }

  latest(owner: string, uid: string): PodStatus | undefined {
    return this.#owners.get(owner)?.entries.get(uid)?.status;
  }

  forget(owner: string, uid: string): void {
    this.#owners.get(owner)?.entries.delete(uid);
  }

  siteDown(message: string): void {
    if (this.#down === message) return;
    this.#down = message;
    this.#notify({ type: 'siteDown', site: this.#site, message });
  }

  siteUp(): void {
    if (this.#down === undefined) return;
    this.#down = undefined;
    // Not a snapshot: those who were connected while the site was away have heard everything since.
    for (const owned of this.#owners.values()) {
      for (const reader of owned.readers) this.#tell(reader, this.#synced(false));
    }
  }

  /** State, then changes, until the signal aborts. While the site cannot be seen there is no `synced`. */
  async *follow(owner: string, cursor: string | undefined, signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const owned = this.#owned(owner);
    const since = this.#sequenceOf(cursor);
    const waiting = waiter(signal);
    const reader: Reader = { pending: new Map(), notices: [], wake: waiting.wake };
    const load = (wanted: (entry: Entry) => boolean) => {
      for (const [uid, entry] of owned.entries) if (wanted(entry)) reader.pending.set(uid, entry);
    };
    owned.readers.add(reader);
    try {
      // A site that cannot be seen cannot give a snapshot: a whole one follows when it is back.
      let owesSnapshot = since === undefined && this.#down !== undefined;
      // Taken now: what is published while a slow reader reads the snapshot comes after it.
      const synced = this.#synced(since === undefined);
      if (!owesSnapshot) load((entry) => (since === undefined ? !entry.final : entry.seq > since));
      yield* this.#drain(reader);
      if (this.#down === undefined) yield synced;
      else {
        // Also when it went down in the middle of one.
        owesSnapshot = since === undefined;
        yield { type: 'siteDown', site: this.#site, message: this.#down };
      }
      while (!signal.aborted) {
        const woken = await waiting.next(bookmarkSeconds * 1000);
        if (!woken) yield { type: 'bookmark', cursor: this.#cursor() };
        const notices = reader.notices.splice(0);
        const snapshot = owesSnapshot && notices.some(({ type }) => type === 'synced');
        if (snapshot) load((entry) => !entry.final);
        yield* this.#drain(reader);
        for (const notice of notices) yield snapshot && notice.type === 'synced' ? { ...notice, snapshot } : notice;
        owesSnapshot &&= !snapshot;
      }
    } finally {
      owned.readers.delete(reader);
      // Whoever may ask for any owner could otherwise fill the memory with names.
      if (owned.readers.size === 0 && owned.entries.size === 0) this.#owners.delete(owner);
    }
  }

  *#drain(reader: Reader): Generator<SiteEvent> {
    const entries = [...reader.pending.values()].sort((one, other) => one.seq - other.seq);
    reader.pending.clear();
    for (const { seq, status } of entries) {
      yield { type: 'status', site: this.#site, cursor: this.#cursor(seq), status };
    }
  }

  #notify(event: SiteEvent): void {
    for (const owned of this.#owners.values()) {
      for (const reader of owned.readers) this.#tell(reader, event);
    }
  }

  #tell(reader: Reader, event: SiteEvent): void {
    // Ups and downs that a slow reader has not read yet are old news: the last one is what counts.
    reader.notices.splice(0, reader.notices.length, event);
    reader.wake();
  }

  #synced(snapshot: boolean): SiteEvent {
    return { type: 'synced', site: this.#site, cursor: this.#cursor(), snapshot };
  }

  #cursor(seq = this.#seq): string {
    return `${this.#epoch}.${seq}`;
  }

  #sequenceOf(cursor: string | undefined): number | undefined {
    const [epoch, seq] = cursor?.split('.') ?? [];
    const sequence = Number(seq);
    return epoch === this.#epoch && Number.isSafeInteger(sequence) && sequence <= this.#seq ? sequence : undefined;
  }

  #owned(owner: string): Owned {
    let owned = this.#owners.get(owner);
    if (owned === undefined) {
      owned = { entries: new Map(), readers: new Set() };
      this.#owners.set(owner, owned);
    }
    return owned;
  }
}

/** One sleeper that can be woken before it sleeps. `next` says whether it was woken (false: time ran out). */
function waiter(signal: AbortSignal): { wake: () => void; next: (ms: number) => Promise<boolean> } {
  let woken = false;
  let release: (() => void) | undefined;
  const wake = () => {
    woken = true;
    release?.();
  };
  signal.addEventListener('abort', wake, { once: true });
  return {
    wake,
    async next(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          release = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        release = undefined;
      }
      const was = woken;
      woken = false;
      return was;
    },
  };
}
