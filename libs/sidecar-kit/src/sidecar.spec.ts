import type { LogRequest, SiteEvent } from '@interlink/contract';
import { MemoryBackend, statusOf } from './testing/memory-backend.ts';
import { call, ref, request, SidecarRuns, statusIn, until } from './testing/sidecar-runs.ts';

let runs = new SidecarRuns();
beforeEach(() => (runs = new SidecarRuns()));
afterEach(() => runs.end());

const isCode = (code: string) => expect.objectContaining({ code }) as Error;
describe('owners', () => {
  const other = call('other/node');

  it('with the same UID are apart in everything', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    const one = await sidecar.create(request('u'), call());
    const two = await sidecar.create(request('u'), other);
    expect(one.PodJID).not.toBe(two.PodJID);
    await sidecar.delete(ref('u'), call());
    await until(() => runs.records().some(({ state }) => state === 'deleted'));
    expect([...backend.site.values()].map(({ owner }) => owner)).toEqual(['other/node']);
    expect(await sidecar.create(request('u'), other)).toEqual(two);
    expect(await sidecar.status([ref('u')], other)).toEqual([]);
    expect(await sidecar.status([ref('u')], call())).toMatchObject([{ JID: one.PodJID }]);
  });

  it('see neither statuses, events nor logs of each other, and delete nothing of each other', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    await runs.stop();
    const again = await runs.start(backend);
    await statusIn(again, 'u', 'Running');
    expect(await again.status([ref('u')], other)).toEqual([]);
    const enough = new AbortController();
    const events: SiteEvent[] = [];
    for await (const event of again.events(undefined, call('other/node', enough.signal))) {
      events.push(event);
      if (event.type === 'synced') break;
    }
    expect(events.map(({ type }) => type)).toEqual(['synced']);
    await expect(again.logs(logs('u'), other)).rejects.toThrow(isCode('NotFound'));
    await again.delete(ref('u'), other);
    expect(backend.cancels).toEqual([]);
    expect(await again.status([ref('u')], call())).toHaveLength(1);
  });
});

const logs = (uid: string): LogRequest => ({
  Namespace: 'ns',
  PodUID: uid,
  PodName: 'p',
  ContainerName: 'main',
  Opts: { Tail: 0, Bytes: 0, Timestamps: false, Follow: false, Previous: false, SinceSeconds: 0, SinceTime: '' },
});

describe('logs', () => {
  it('are those of the job', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    const text = await (await sidecar.logs(logs('u'), call())).toArray();
    expect(text).toEqual([`log of main in ${backend.submits[0]?.id ?? ''}`]);
    await expect(sidecar.logs(logs('unknown'), call())).rejects.toThrow(isCode('NotFound'));
  });
});

describe('a site that goes away', () => {
  it('is down for its readers until it has been looked at again', async () => {
    const backend = new MemoryBackend();
    let lose = () => {};
    backend.lost = () => new Promise<void>((resolve) => (lose = resolve));
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    const stop = new AbortController();
    const events = sidecar.events(undefined, call(undefined, stop.signal))[Symbol.asyncIterator]();
    const next = async () => ((await events.next()).value as SiteEvent).type;
    expect(await next()).toBe('synced');
    lose();
    expect(await next()).toBe('siteDown');
    expect(sidecar.notReady()).toMatch(/the site went away/);
    await expect(sidecar.status([ref('u')], call())).rejects.toThrow(isCode('Unavailable'));
    expect([await next(), await next()]).toEqual(['status', 'synced']);
    expect(await sidecar.status([ref('u')], call())).toMatchObject([{ phase: 'Running' }]);
    stop.abort();
  });
});

it('a status that has not changed is no event', async () => {
  const backend = new MemoryBackend();
  const sidecar = await runs.start(backend);
  await sidecar.create(request('u'), call());
  const [job] = backend.submits;
  if (job === undefined) throw new Error('no job');
  const first = async (cursor?: string) => {
    for await (const event of sidecar.events(cursor, call())) if (event.type !== 'bookmark') return event;
    return undefined;
  };
  backend.reporter?.status(job, statusOf(job, 'Running'));
  const before = await first();
  const cursor = before?.type === 'status' ? before.cursor : '';
  backend.reporter?.status(job, statusOf(job, 'Running'));
  expect(await first(cursor)).toMatchObject({ type: 'synced', snapshot: false });
  backend.reporter?.status(job, statusOf(job, 'Succeeded', 0));
  expect(await first(cursor)).toMatchObject({ type: 'status', status: { phase: 'Succeeded' } });
});
