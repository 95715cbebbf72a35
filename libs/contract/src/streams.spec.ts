import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogRequest } from './core.ts';
import { InterlinkError } from './errors.ts';
import type { SiteEvent } from './extensions.ts';
import { ContractServer } from './testing/contract-server.ts';

const call = { owner: 'c/n', session: 'S#1' };
const synced: SiteEvent = { type: 'synced', site: 's', cursor: 'e.1', snapshot: true };
const unavailable = expect.objectContaining({ code: 'Unavailable' }) as Error;

let server: ContractServer;
beforeEach(async () => (server = await new ContractServer('sidecar').start()));
afterEach(() => server.stop());

describe('events', () => {
  it('arrive one by one as they happen, from the cursor on', async () => {
    const more = new PassThrough({ objectMode: true });
    const asked: unknown[] = [];
    server.handlers.events = async function* (cursor, { owner, session }) {
      asked.push(cursor, owner, session);
      yield synced;
      for await (const event of more) yield event as SiteEvent;
    };
    const events = server.client().events('e.7', call);
    expect((await events.next()).value).toEqual(synced);
    more.write({ type: 'bookmark', cursor: 'e.9' });
    expect((await events.next()).value).toEqual({ type: 'bookmark', cursor: 'e.9' });
    expect(asked).toEqual(['e.7', 'c/n', 'S#1']);
    // A stream of events has no end of its own.
    more.end();
    await expect(events.next()).rejects.toThrow(unavailable);
  });

  it('that cannot begin are an error with its code', async () => {
    server.handlers.events = async function* () {
      await sleep(1);
      throw new InterlinkError('Denied', 'not yours');
      yield synced;
    };
    await expect(server.client().events(undefined, call).next()).rejects.toMatchObject({ code: 'Denied' });
  });

  it('that break off in the middle say so', async () => {
    server.handlers.events = async function* () {
      yield synced;
      await sleep(1);
      throw new InterlinkError('Internal', 'broken');
    };
    const events = server.client().events(undefined, call);
    await events.next();
    await expect(events.next()).rejects.toThrow(unavailable);
  });

  it.each(['between two events', 'before the first'])(
    'end for the handler when the client hangs up %s',
    async (when) => {
      const begun = Promise.withResolvers<void>();
      const ended: Promise<string> = new Promise((resolve) => {
        server.handlers.events = async function* (_cursor, { signal }) {
          begun.resolve();
          try {
            if (when === 'between two events') yield synced;
            if (!signal.aborted) await once(signal, 'abort');
          } finally {
            resolve(`aborted: ${signal.aborted}`);
          }
        };
      });
      const hangUp = new AbortController();
      const events = server.client().events(undefined, { ...call, signal: hangUp.signal });
      if (when === 'between two events') await events.next();
      const next = events.next();
      await begun.promise;
      hangUp.abort();
      await expect(next).rejects.toThrow(unavailable);
      expect(await ended).toBe('aborted: true');
    },
  );

  it('wait for a slow reader instead of piling up', async () => {
    const total = 3000;
    let given = 0;
    server.handlers.events = async function* () {
      for (; given < total; given++) yield { type: 'siteDown', site: 's', message: `${given}`.padEnd(8000) };
    };
    const response = await server.open('GET', '/events');
    let before = -1;
    while (before !== given) {
      before = given;
      await sleep(50);
    }
    expect(given).toBeLessThan(total / 2);
    let lines = 0;
    for await (const chunk of response) lines += String(chunk).split('\n').length - 1;
    expect(lines).toBe(total);
  });
});

describe('logs', () => {
  const request: LogRequest = {
    Namespace: 'n',
    PodUID: 'u',
    PodName: 'p',
    ContainerName: 'c',
    Opts: {
      Tail: 0,
      Bytes: 0,
      Timestamps: false,
      Follow: true,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: '0001-01-01T00:00:00Z',
    },
  };
  /** With an error or without. */
  const closed = (stream: Readable) =>
    new Promise((resolve) => stream.on('error', () => undefined).once('close', resolve));
  const first = async (stream: Readable) => String((await once(stream, 'data'))[0]);

  it('are passed on while the container still writes, byte for byte', async () => {
    const log = new PassThrough();
    server.handlers.logs = async () => log;
    const stream = await server.client().logs(request, call);
    log.write('line 1\n');
    expect(await first(stream)).toBe('line 1\n');
    const bytes = Buffer.from([0xff, 0x00, 0xc3]);
    log.end(bytes);
    const rest: Buffer[] = [];
    for await (const chunk of stream) rest.push(chunk as Buffer);
    expect(Buffer.concat(rest)).toEqual(bytes);
  });

  it('that break off are not taken for a whole log', async () => {
    const log = new PassThrough();
    server.handlers.logs = async () => log;
    const stream = await server.client().logs(request, call);
    log.write('line 1\n');
    await first(stream);
    log.destroy(new Error('the engine went away'));
    await expect(once(stream, 'end')).rejects.toThrow();
  });

  it('that cannot begin are an error with its code', async () => {
    server.handlers.logs = () => Promise.reject(new InterlinkError('NotFound', 'no pod'));
    await expect(server.client().logs(request, call)).rejects.toMatchObject({ code: 'NotFound', message: 'no pod' });
  });

  it('let go of the container when the client hangs up', async () => {
    const log = new PassThrough();
    let signal: AbortSignal | undefined;
    server.handlers.logs = async (_request, context) => {
      signal = context.signal;
      return log;
    };
    const stream = await server.client().logs(request, call);
    stream.destroy();
    await closed(log);
    expect(signal?.aborted).toBe(true);
  });

  it('let go of the container when the client had hung up before there was a log', async () => {
    const log = new PassThrough();
    const letGo = closed(log);
    const hangUp = new AbortController();
    server.handlers.logs = async (_request, context) => {
      hangUp.abort();
      await once(context.signal, 'abort');
      return log;
    };
    await expect(server.client().logs(request, { ...call, signal: hangUp.signal })).rejects.toThrow(unavailable);
    await letGo;
  });
});
