import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import {
  bindSidecar,
  ContractClient,
  InterlinkError,
  type CallContext,
  type ContractHandlers,
  type PodStatus,
  type RetrievedPod,
  type SiteEvent,
  type StreamHandlers,
} from '@interlink/contract';
import { createRelay } from './relay.ts';

type Sidecar = ContractHandlers<RetrievedPod> & StreamHandlers;

const folder = mkdtempSync(join(tmpdir(), 'il-'));
const path = join(folder, 's.sock');
let server: Server | undefined;
const stop = async () => {
  const closing = server;
  server = undefined;
  closing?.closeAllConnections();
  await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
};
afterEach(stop);
afterAll(() => rmSync(folder, { recursive: true }));

/** A sidecar on a real socket. It has no more endpoints than the handlers given. */
async function serve(handlers: Partial<Sidecar>): Promise<void> {
  const app = express();
  const absent = () => Promise.reject(new InterlinkError('NotFound', 'not here'));
  const rest = {
    create: absent,
    delete: absent,
    status: absent,
    ping: absent,
    logs: absent,
    capabilities: absent,
    update: absent,
    stats: absent,
    exec: absent,
    attach: absent,
    portForward: absent,
  };
  // eslint-disable-next-line require-yield -- a stream that ends before its first line
  const events = async function* (): AsyncGenerator<SiteEvent> {
    await absent();
  };
  bindSidecar(
    app,
    { ...rest, events, ...handlers },
    { bodyLimit: 1000, ownerOf: (request) => String(request.headers['interlink-owner']) },
  );
  app.use(((error: InterlinkError, _request, response, _next) => {
    response.status(error.status).json(error.toBody());
  }) satisfies express.ErrorRequestHandler);
  server = createServer(app);
  await new Promise<void>((resolve) => server?.listen(path, resolve));
}

const relay = (stopping = new AbortController().signal, silenceMs = 1000) =>
  createRelay({
    client: new ContractClient({ leg: 'sidecar', peer: 'sidecar of s', endpoint: `unix://${path}` }),
    site: 'here',
    server: 'api/1',
    stopping,
    silenceMs,
    backoffMs: { first: 10, most: 20 },
  });

const context = (signal = new AbortController().signal): CallContext => ({ owner: 'c/n', session: 'S#1', signal });
const pod = (uid: string) => ({ metadata: { name: 'p', namespace: 'ns', uid } });
const status = (UID: string): PodStatus => ({ name: 'p', namespace: 'ns', UID, JID: '1' });

describe('calls', () => {
  it('carry owner and session, and the sidecar form of a create', async () => {
    const seen: unknown[] = [];
    await serve({
      create: async ({ container }, { owner, session }) => {
        seen.push(owner, session, container?.[0]?.name);
        return { PodUID: 'u', PodJID: '7' };
      },
    });
    const whole = { ...pod('u'), spec: { containers: [{ name: 'main' }] } };
    expect(await relay().create({ pod: whole }, context())).toEqual({ PodUID: 'u', PodJID: '7' });
    expect(seen).toEqual(['c/n', 'S#1', 'main']);
  });

  it('answer only what was asked, under the name of the site', async () => {
    await serve({ status: async () => [status('a'), status('stranger')] });
    expect(await relay().status([pod('a'), pod('b')], context())).toEqual([{ ...status('a'), site: 'here' }]);
  });

  it('relay logs, ping and errors as they are', async () => {
    await serve({
      logs: async () => Readable.from(['line 1\n', 'line 2\n']),
      ping: async () => ({ status: 'ok', taints: [] }),
      update: () => Promise.reject(new InterlinkError('Gone', 'deleted', { field: 'x' })),
    });
    const Opts = {
      Tail: 0,
      Bytes: 0,
      Timestamps: false,
      Follow: false,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: '',
    };
    const log = await relay().logs({ Namespace: 'n', PodUID: 'u', PodName: 'p', ContainerName: 'c', Opts }, context());
    expect((await log.toArray()).join('')).toBe('line 1\nline 2\n');
    expect(await relay().ping(context())).toEqual({ status: 'ok', taints: [] });
    await expect(relay().update({ pod: pod('u') }, context())).rejects.toMatchObject({ code: 'Gone', field: 'x' });
    await expect(relay().capabilities(context())).rejects.toMatchObject({ code: 'NotFound' });
    await stop();
    await expect(relay().ping(context())).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('relay stats and refused streams as they are, for the owner who asks', async () => {
    const owners: string[] = [];
    await serve({
      stats: async ({ owner }) => {
        owners.push(owner);
        return { pods: [], time: 'now' };
      },
    });
    expect(await relay().stats(context())).toEqual({ pods: [], time: 'now' });
    expect(owners).toEqual(['c/n']);
    await expect(relay().openStream('exec', 'podUID=u', 'a2V5', context())).rejects.toMatchObject({
      code: 'Malformed',
    });
  });

  it('tell capabilities of the sidecar as those of the API', async () => {
    const features = { events: true, expandEnv: true, update: false };
    await serve({
      capabilities: async () => ({ contract: '1', server: 'docker/1', site: 'theirs', kind: 'docker', features }),
    });
    expect(await relay().capabilities(context())).toMatchObject({
      server: 'api/1',
      site: 'here',
      kind: 'docker',
      features,
    });
  });
});

describe('events', () => {
  const brief = (event: SiteEvent) => (event.type === 'siteDown' ? event.type : `${event.type} ${event.cursor}`);
  const line = (cursor: string): SiteEvent => ({ type: 'status', site: 'theirs', cursor, status: status('a') });
  const synced = (cursor: string): SiteEvent => ({ type: 'synced', site: 'theirs', cursor, snapshot: true });

  /** Reads `count` events, doing something after the first few. */
  async function read(
    count: number,
    after: { [n: number]: () => Promise<void> } = {},
    silenceMs = 1000,
  ): Promise<SiteEvent[]> {
    const hangUp = new AbortController();
    const events: SiteEvent[] = [];
    for await (const event of relay(undefined, silenceMs).events(undefined, context(hangUp.signal))) {
      events.push(event);
      if (events.length === count) break;
      await after[events.length]?.();
    }
    hangUp.abort();
    return events;
  }

  it('go on from the last cursor when the sidecar comes back, and say when it is away', async () => {
    const cursors: (string | undefined)[] = [];
    const handlers: Partial<Sidecar> = {
      async *events(cursor, { signal }) {
        cursors.push(cursor);
        yield* cursor === undefined
          ? [line('1'), synced('2'), line('3'), { type: 'bookmark', cursor: '4' } as const]
          : [line('5')];
        await delay(5000, undefined, { signal }).catch(() => undefined);
      },
    };
    await serve(handlers);
    const events = await read(6, { 4: stop, 5: () => serve(handlers) });
    expect(events.map(brief)).toEqual(['status 1', 'synced 2', 'status 3', 'bookmark 4', 'siteDown', 'status 5']);
    expect(cursors).toEqual([undefined, '4']);
    expect(events.flatMap((event) => ('site' in event ? [event.site] : []))).toEqual(Array(5).fill('here'));
  });

  it('begin a snapshot again that broke off', async () => {
    const cursors: (string | undefined)[] = [];
    await serve({
      async *events(cursor) {
        cursors.push(cursor);
        yield line('1');
      },
    });
    expect((await read(3)).map(brief)).toEqual(['status 1', 'siteDown', 'status 1']);
    expect(cursors).toEqual([undefined, undefined]);
  });

  it('take silence for an outage', async () => {
    await serve({
      async *events(_cursor, { signal }) {
        yield synced('1');
        await delay(5000, undefined, { signal }).catch(() => undefined);
      },
    });
    const [, down] = await read(2, {}, 100);
    expect(down).toEqual({ type: 'siteDown', site: 'here', message: 'the sidecar of here said nothing for 0.1 s' });
  });

  it('keep telling that the site is down, with nobody there', async () => {
    expect((await read(3)).map(brief)).toEqual(['siteDown', 'siteDown', 'siteDown']);
  });

  it('end when the caller hangs up or the API stops, and at a classic plugin', async () => {
    const hangUp = new AbortController();
    const reading = relay().events(undefined, context(hangUp.signal))[Symbol.asyncIterator]();
    await reading.next();
    hangUp.abort();
    expect((await reading.next()).done).toBe(true);
    const stopped = relay(AbortSignal.abort()).events(undefined, context())[Symbol.asyncIterator]();
    expect((await stopped.next()).done).toBe(true);

    const classic = createServer((_request, response) => response.writeHead(404).end('404 page not found'));
    server = classic;
    await new Promise<void>((resolve) => classic.listen(path, resolve));
    const none = relay().events(undefined, context())[Symbol.asyncIterator]();
    await expect(none.next()).rejects.toMatchObject({ code: 'NotFound' });
  });
});
