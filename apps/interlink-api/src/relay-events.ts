import { setTimeout as delay } from 'node:timers/promises';
import {
  bookmarkSeconds,
  eventsSilenceSeconds,
  InterlinkError,
  isCode,
  type ContractClient,
  type SiteEvent,
} from '@interlink/contract';

export interface EventSource {
  readonly client: Pick<ContractClient, 'events'>;
  readonly site: string;
  /** Two missed bookmarks by default. Our own reader gives us up after {@link eventsSilenceSeconds}: we must speak first. */
  readonly silenceMs?: number;
  readonly backoffMs?: { readonly first: number; readonly most: number };
}

export interface EventCall {
  readonly owner: string;
  readonly session: string;
  readonly signal: AbortSignal;
}

const defaultSilenceMs = 2 * bookmarkSeconds * 1000;
const defaultBackoffMs = { first: 500, most: (eventsSilenceSeconds - 2 * bookmarkSeconds) * 500 };

/**
 * The sidecar's events for as long as the caller stays. Each failed attempt gives a `siteDown` line, which also keeps
 * the caller's connection alive, and the next one goes on from the last cursor.
 * @throws InterlinkError NotFound at a classic plugin, which has no events.
 */
export async function* relayEvents(
  source: EventSource,
  cursor: string | undefined,
  call: EventCall,
): AsyncGenerator<SiteEvent, void> {
  const { first, most } = source.backoffMs ?? defaultBackoffMs;
  let last = cursor;
  let wait = first;
  while (!call.signal.aborted) {
    let synced = false;
    try {
      for await (const event of attempt(source, last, call)) {
        wait = first;
        synced ||= event.type === 'synced';
        yield underSite(event, source.site);
        // A snapshot that broke off is begun again: what it did not get to say must not be skipped.
        if (synced && event.type !== 'siteDown') last = event.cursor;
      }
    } catch (thrown) {
      if (call.signal.aborted) return;
      if (isCode(thrown, 'NotFound')) throw thrown;
      yield { type: 'siteDown', site: source.site, message: InterlinkError.from(thrown).message };
    }
    // The signal ends the wait early; there is nothing to handle, the loop looks at it next.
    await delay(wait * (0.5 + Math.random() / 2), undefined, { signal: call.signal }).catch(() => undefined);
    wait = Math.min(wait * 2, most);
  }
}

async function* attempt(
  { client, site, silenceMs = defaultSilenceMs }: EventSource,
  cursor: string | undefined,
  call: EventCall,
): AsyncGenerator<SiteEvent, void> {
  const silent = new AbortController();
  const arm = () => setTimeout(() => silent.abort(), silenceMs);
  let alarm = arm();
  try {
    const signal = AbortSignal.any([call.signal, silent.signal]);
    for await (const event of client.events(cursor, { owner: call.owner, session: call.session, signal })) {
      // Not while our caller reads: its slowness is not the sidecar's silence.
      clearTimeout(alarm);
      yield event;
      alarm = arm();
    }
  } catch (thrown) {
    if (!silent.signal.aborted) throw thrown;
    throw new InterlinkError('Unavailable', `the sidecar of ${site} said nothing for ${silenceMs / 1000} s`);
  } finally {
    clearTimeout(alarm);
  }
}

/** Callers know the site by the name that this API gives it, not by the sidecar's own. */
function underSite(event: SiteEvent, site: string): SiteEvent {
  switch (event.type) {
    case 'status':
      return { ...event, site, status: { ...event.status, site } };
    case 'bookmark':
      return event;
    default:
      return { ...event, site };
  }
}
