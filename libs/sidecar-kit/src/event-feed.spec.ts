import { jest } from '@jest/globals';
import { bookmarkSeconds, type PodStatus, type SiteEvent } from '@interlink/contract';
import { EventFeed } from './event-feed.ts';

const owner = 'c/n';
const status = (UID: string, message = ''): PodStatus => ({ name: UID, namespace: 'n', UID, JID: '', message });

let stop = new AbortController();
let feed = new EventFeed('s');
beforeEach(() => {
  stop = new AbortController();
  feed = new EventFeed('s');
  feed.siteUp();
});
afterEach(() => stop.abort());

const follow = (cursor?: string, as = owner) => feed.follow(as, cursor, stop.signal);

/** An event in one word: `u1:message`, `synced` (of a snapshot), `resumed`, `down:message`, `bookmark`. */
const word = (event: SiteEvent): string => {
  switch (event.type) {
    case 'status':
      return `${event.status.UID}:${event.status.message ?? ''}`;
    case 'synced':
      return event.snapshot ? 'synced' : 'resumed';
    case 'siteDown':
      return `down:${event.message}`;
    case 'bookmark':
      return event.type;
  }
};

async function take(events: AsyncGenerator<SiteEvent>, count: number): Promise<SiteEvent[]> {
  const taken: SiteEvent[] = [];
  while (taken.length < count) {
    const next = await events.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
const words = async (events: AsyncGenerator<SiteEvent>, count: number) => (await take(events, count)).map(word);
const cursorOf = (event: SiteEvent | undefined): string | undefined =>
  event === undefined || event.type === 'siteDown' ? undefined : event.cursor;

describe('a reader', () => {
  it('gets the present state, then synced, then changes', async () => {
    feed.publish(owner, status('a', 'old'));
    feed.publish(owner, status('b'));
    feed.publish(owner, status('a', 'new'));
    const events = follow();
    expect(await words(events, 3)).toEqual(['b:', 'a:new', 'synced']);
    const next = events.next();
    feed.publish(owner, status('c'));
    expect(word((await next).value as SiteEvent)).toBe('c:');
  });

  it('gets nothing of another owner', async () => {
    feed.publish('other/n', status('a', 'theirs'));
    const events = follow();
    expect(await words(events, 1)).toEqual(['synced']);
    feed.publish('other/n', status('b', 'theirs'));
    feed.publish(owner, status('b', 'ours'));
    expect(await words(events, 1)).toEqual(['b:ours']);
    expect([feed.latest(owner, 'a'), feed.latest('other/n', 'a')?.message]).toEqual([undefined, 'theirs']);
  });

  it('that is slow gets each pod once, in its latest state', async () => {
    const events = follow();
    await take(events, 1);
    for (let n = 0; n < 1000; n++) feed.publish(owner, status(`u${n % 3}`, `${n}`));
    feed.publish(owner, status('end'));
    expect(await words(events, 4)).toEqual(['u1:997', 'u2:998', 'u0:999', 'end:']);
  });

  it('ends with its signal', async () => {
    const events = follow();
    await take(events, 1);
    const next = events.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('is told the last word on a deleted pod, but not in a snapshot', async () => {
    feed.publish(owner, status('a'));
    const early = follow();
    await take(early, 2);
    feed.publish(owner, status('a', 'final'), true);
    expect(await words(early, 1)).toEqual(['a:final']);
    expect(await words(follow(), 1)).toEqual(['synced']);
    expect(feed.latest(owner, 'a')?.message).toBe('final');
    feed.forget(owner, 'a');
    expect(feed.latest(owner, 'a')).toBeUndefined();
  });
});

describe('a cursor', () => {
  it('goes on after the event it came with, last words included', async () => {
    feed.publish(owner, status('a'));
    feed.publish(owner, status('b'));
    const before = await take(follow(), 3);
    feed.publish(owner, status('c', 'final'), true);
    feed.publish(owner, status('a', 'new'));
    expect(await words(follow(cursorOf(before[2])), 3)).toEqual(['c:final', 'a:new', 'resumed']);
    expect(await words(follow(cursorOf(before[0])), 4)).toEqual(['b:', 'c:final', 'a:new', 'resumed']);
  });

  it.each(['other.1', '', 'nonsense', '.', 'other.', 'future'])(
    'of another life (%s) restarts the snapshot',
    async (text) => {
      feed.publish(owner, status('a'));
      const [first] = await take(follow(), 2);
      const epoch = cursorOf(first)?.split('.')[0] ?? '';
      const cursor = text === 'future' ? `${epoch}.999` : text;
      expect(await words(follow(cursor), 2)).toEqual(['a:', 'synced']);
    },
  );

  it('of synced leaves out nothing that happened while a slow reader read the snapshot', async () => {
    feed.publish(owner, status('a'));
    const slow = follow();
    await take(slow, 1);
    feed.publish(owner, status('b'));
    const [synced] = await take(slow, 1);
    expect(synced && word(synced)).toBe('synced');
    await slow.return(undefined);
    expect(await words(follow(cursorOf(synced)), 2)).toEqual(['b:', 'resumed']);
  });
});

describe('a site', () => {
  it('that cannot be seen yet gives no snapshot; a whole one follows', async () => {
    feed = new EventFeed('s');
    feed.publish(owner, status('old'));
    feed.publish(owner, status('gone'), true);
    const events = follow();
    expect(await words(events, 1)).toEqual([expect.stringMatching(/^down:/)]);
    feed.publish(owner, status('new'));
    expect(await words(events, 1)).toEqual(['new:']);
    feed.siteUp();
    expect(await words(events, 3)).toEqual(['old:', 'new:', 'synced']);
  });

  it('that goes away in the middle of a snapshot owes it again', async () => {
    feed.publish(owner, status('a'));
    feed.publish(owner, status('b'));
    const events = follow();
    await take(events, 1);
    feed.siteDown('x');
    expect((await words(events, 3)).slice(0, 2)).toEqual(['b:', 'down:x']);
    feed.siteUp();
    const rest = await words(events, 3);
    expect(rest.slice(-3)).toEqual(['a:', 'b:', 'synced']);
  });

  it('that was away does not owe a second snapshot', async () => {
    feed.publish(owner, status('a'));
    const events = follow();
    await take(events, 2);
    feed.siteDown('x');
    feed.siteDown('x');
    expect(await words(events, 1)).toEqual(['down:x']);
    feed.siteUp();
    feed.siteUp();
    feed.publish(owner, status('b'));
    expect(await words(events, 2)).toEqual(['b:', 'resumed']);
  });

  it('may go up and down as it likes: a slow reader hears the last of it', async () => {
    const events = follow();
    await take(events, 1);
    for (let n = 0; n < 100; n++) {
      feed.siteDown(`${n}`);
      if (n < 99) feed.siteUp();
    }
    expect(await words(events, 1)).toEqual(['down:99']);
    const next = events.next();
    feed.siteUp();
    expect(word((await next).value as SiteEvent)).toBe('resumed');
  });
});

describe('an idle stream', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('shows that it is alive, with a cursor that is good', async () => {
    feed.publish(owner, status('a'));
    const events = follow();
    await take(events, 2);
    for (let n = 0; n < 2; n++) {
      let seen: SiteEvent | undefined;
      const next = events.next().then(({ value }) => (seen = value as SiteEvent));
      await jest.advanceTimersByTimeAsync(bookmarkSeconds * 1000 - 1);
      expect(seen).toBeUndefined();
      await jest.advanceTimersByTimeAsync(1);
      expect(word(await next)).toBe('bookmark');
      expect(await words(follow(cursorOf(seen)), 1)).toEqual(['resumed']);
    }
    stop.abort();
    expect(jest.getTimerCount()).toBe(0);
  });
});
