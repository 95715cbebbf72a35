import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError, type ContractClient, type PodStatus, type SiteEvent } from '@interlink/contract';
import { SiteLink, type LinkState } from './site-link.ts';

const status = (uid: string): PodStatus => ({ name: uid, namespace: 'a', UID: uid, JID: 'j' });
const told = (uid: string, cursor: string): SiteEvent => ({ type: 'status', site: 's', cursor, status: status(uid) });
const synced = (cursor: string, snapshot: boolean): SiteEvent => ({ type: 'synced', site: 's', cursor, snapshot });

/** Each inner list is one connection; it ends as the last of them does: by breaking off. */
async function follow(connections: SiteEvent[][]) {
  const cursors: (string | undefined)[] = [];
  const states: LinkState['state'][] = [];
  let snapshots = 0;
  const stop = new AbortController();
  const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  const client: Pick<ContractClient, 'capabilities' | 'events' | 'ping' | 'status'> = {
    capabilities: async () => ({
      contract: '1',
      server: 'x',
      site: 's',
      kind: 'k',
      features: { events: true, expandEnv: true, update: false },
    }),
    async *events(cursor): AsyncGenerator<SiteEvent, never> {
      cursors.push(cursor);
      const events = connections.shift();
      if (events === undefined) {
        stop.abort();
        throw new InterlinkError('Unavailable', 'over');
      }
      yield* events;
      throw new InterlinkError('Unavailable', 'broke off');
    },
    ping: async () => ({ status: 'ok' }),
    status: async () => [],
  };
  const link = new SiteLink({
    client,
    owner: 'o',
    log: silent,
    submitted: () => [],
    classicPollMs: 10,
    handlers: {
      status: () => undefined,
      snapshot: () => snapshots++,
      missing: () => undefined,
      state: ({ state }) => states.push(state),
    },
  });
  await Promise.race([link.run(stop.signal), sleep(5_000)]);
  return { link, cursors, states, snapshots };
}

describe('SiteLink', () => {
  it('takes absence for absence only after a whole snapshot', async () => {
    const { link, snapshots } = await follow([
      [told('a', 'e1.1'), told('b', 'e1.2'), synced('e1.2', true)],
      // The site was restarted: another epoch, and only one pod is left.
      [told('a', 'e2.1'), synced('e2.1', true)],
    ]);
    expect([...link.uids()]).toEqual(['a']);
    expect(snapshots).toBe(2);
  });

  it('forgets nobody when only what changed is told', async () => {
    const { link, cursors } = await follow([
      [told('a', 'e1.1'), told('b', 'e1.2'), synced('e1.2', true), told('b', 'e1.3')],
      [told('c', 'e1.4'), synced('e1.4', false)],
    ]);
    expect([...link.uids()]).toEqual(['a', 'b', 'c']);
    expect(cursors.slice(0, 3)).toEqual([undefined, 'e1.3', 'e1.4']);
  });

  it('begins again after a snapshot that broke off', async () => {
    const { cursors, snapshots } = await follow([
      [told('a', 'e1.1')],
      [told('a', 'e1.1'), told('b', 'e1.2'), synced('e1.2', true)],
    ]);
    expect(cursors.slice(0, 2)).toEqual([undefined, undefined]);
    expect(snapshots).toBe(1);
  });

  it('says what is away: the API when the stream ends, the site when it is told so', async () => {
    const { states } = await follow([
      [synced('e1.0', true), { type: 'siteDown', site: 's', message: 'engine' }, synced('e1.0', false)],
    ]);
    expect(states).toEqual(['up', 'siteUnavailable', 'up', 'apiUnavailable']);
  });
});
