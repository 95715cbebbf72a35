import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { KubeClient } from './client.ts';
import { Reflector } from './reflector.ts';
import { FakeApiServer, sendJson, sendStatus } from './testing/fake-api-server.ts';
import { fastClock, until } from './testing/fake-clock.ts';

const schema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
  }),
  value: z.number().optional(),
});

type Thing = z.infer<typeof schema>;

const thing = (name: string, resourceVersion: number, uid = `uid-${name}`, more: object = {}) => ({
  metadata: { name, namespace: 'ns', uid, resourceVersion: String(resourceVersion) },
  ...more,
});

/** A collection behind a fake API server: lists in pages, and one watch that the test writes to. */
class FakeCollection {
  items: ReturnType<typeof thing>[] = [];
  version = 1;
  lists = 0;
  /** resourceVersion of each watch begun. */
  readonly watches: string[] = [];
  #watch: ServerResponse | undefined;

  constructor(server: FakeApiServer) {
    server.answer = ({ query }, response) => {
      if (query.get('watch') === 'true') {
        this.watches.push(query.get('resourceVersion') ?? '');
        this.#watch = response;
        response.writeHead(200).flushHeaders();
        return;
      }
      const limit = Number(query.get('limit') ?? this.items.length);
      const from = Number(query.get('continue') ?? 0);
      const more = from + limit < this.items.length;
      if (from === 0) this.lists += 1;
      const metadata = { resourceVersion: String(this.version), ...(more ? { continue: String(from + limit) } : {}) };
      sendJson(response, 200, { metadata, items: this.items.slice(from, from + limit) });
    };
  }

  send(type: string, object: object): void {
    this.#watch?.write(`${JSON.stringify({ type, object })}\n`);
  }

  end(): void {
    this.#watch?.end();
  }
}

describe('Reflector', () => {
  let server: FakeApiServer;
  let collection: FakeCollection;
  const stop = { now: (): void => undefined };

  beforeEach(async () => {
    server = await FakeApiServer.start();
    collection = new FakeCollection(server);
  });
  afterEach(async () => {
    stop.now();
    await server.stop();
  });

  function reflect(throwing?: string) {
    const log: string[] = [];
    const errors: string[] = [];
    const act = (what: string, { metadata }: Thing): void => {
      log.push(`${what} ${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`);
      if (what === throwing) throw new Error('a fault of the handler');
    };
    const reflector = new Reflector({
      client: KubeClient.load({ kubeconfig: server.kubeconfig }),
      path: '/api/v1/things',
      schema,
      handlers: {
        added: (object) => act('added', object),
        modified: (object, old) => act(`modified from ${old.metadata.resourceVersion}`, object),
        deleted: (old) => act('deleted', old),
        synced: () => log.push('synced'),
      },
      onError: (error) => errors.push(error.message),
      fieldSelector: 'spec.nodeName=n',
      clock: fastClock(50),
    });
    const controller = new AbortController();
    const done = reflector.run(controller.signal);
    stop.now = () => controller.abort();
    return { reflector, log, errors, done };
  }

  it('lists in pages, then follows the watch', async () => {
    collection.items = Array.from({ length: 1200 }, (_, i) => thing(`t${i}`, 1));
    collection.version = 7;
    const { reflector, log, errors } = reflect();
    await until(() => collection.watches.length === 1);
    expect([reflector.store.size, reflector.hasSynced, log.length, log[1200], collection.lists]).toEqual([
      1200,
      true,
      1201,
      'synced',
      1,
    ]);
    expect(server.requests.every(({ query }) => query.get('fieldSelector') === 'spec.nodeName=n')).toBe(true);
    expect(collection.watches).toEqual(['7']);
    collection.send('MODIFIED', thing('t0', 8));
    collection.send('DELETED', thing('t1', 9));
    collection.send('ADDED', thing('new', 10));
    await until(() => log.length === 1204);
    expect(log.slice(1201)).toEqual(['modified from 1 t0 uid-t0 8', 'deleted t1 uid-t1 9', 'added new uid-new 10']);
    expect([
      reflector.store.get('ns', 't0')?.metadata.resourceVersion,
      reflector.store.get('ns', 't1'),
      errors,
    ]).toEqual(['8', undefined, []]);
  });

  it('resumes from the last version, bookmarks included, without a list', async () => {
    const { reflector, errors } = reflect();
    await until(() => collection.watches.length === 1);
    collection.send('ADDED', thing('a', 5));
    await until(() => reflector.store.size === 1);
    collection.end();
    await until(() => collection.watches.length === 2);
    collection.send('BOOKMARK', { kind: 'Thing', metadata: { resourceVersion: '20' } });
    collection.end();
    await until(() => collection.watches.length === 3);
    expect([collection.watches, collection.lists, errors]).toEqual([['1', '5', '20'], 1, []]);
  });

  it('goes on after a cut connection and a server that is away', async () => {
    const { reflector, errors } = reflect();
    await until(() => collection.watches.length === 1);
    const normal = server.answer;
    server.answer = (_, response) => sendStatus(response, 503, 'ServiceUnavailable');
    server.cut();
    await until(() => errors.length >= 3);
    server.answer = normal;
    await until(() => collection.watches.length === 2);
    collection.send('ADDED', thing('a', 5));
    await until(() => reflector.store.size === 1);
    expect(collection.lists).toBe(1);
  });

  it('lists again when its version is too old, and finds what it missed', async () => {
    collection.items = [thing('kept', 1), thing('changed', 1), thing('gone', 1), thing('replaced', 1, 'uid-1')];
    const { log, reflector } = reflect();
    await until(() => collection.watches.length === 1);
    collection.items = [thing('kept', 1), thing('changed', 3), thing('fresh', 3), thing('replaced', 3, 'uid-2')];
    log.length = 0;
    collection.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
    await until(() => collection.watches.length === 2);
    expect(log).toEqual([
      'modified from 1 changed uid-changed 3',
      'added fresh uid-fresh 3',
      'deleted replaced uid-1 1',
      'added replaced uid-2 3',
      'deleted gone uid-gone 1',
      'synced',
    ]);
    expect(reflector.store.size).toBe(4);
  });

  it('lists in one piece when the continue token expires', async () => {
    collection.items = Array.from({ length: 600 }, (_, i) => thing(`t${i}`, 1));
    const normal = server.answer;
    server.answer = (request, response) =>
      request.query.has('continue') ? sendStatus(response, 410, 'Expired') : normal(request, response);
    const { reflector, errors } = reflect();
    await until(() => reflector.hasSynced);
    expect([reflector.store.size, errors]).toEqual([600, []]);
  });

  it('sees another object of the same name as a delete and an add', async () => {
    const { log } = reflect();
    await until(() => collection.watches.length === 1);
    collection.send('ADDED', thing('a', 2, 'uid-1'));
    collection.send('MODIFIED', thing('a', 3, 'uid-2'));
    collection.send('DELETED', thing('a', 4, 'uid-1'));
    collection.send('ADDED', thing('b', 5));
    await until(() => log.length === 5);
    expect(log).toEqual(['synced', 'added a uid-1 2', 'deleted a uid-1 2', 'added a uid-2 3', 'added b uid-b 5']);
  });

  it('skips an object it cannot read, without losing what it knows of it', async () => {
    collection.items = [thing('bad', 1, 'uid-bad', { value: 'x' }), thing('good', 1), thing('turns', 1)];
    const { reflector, log, errors } = reflect();
    await until(() => collection.watches.length === 1);
    expect([log, errors.length, errors[0]]).toEqual([
      ['added good uid-good 1', 'added turns uid-turns 1', 'synced'],
      1,
      expect.stringContaining('ns/bad skipped'),
    ]);
    collection.items = [thing('good', 1), thing('turns', 2, 'uid-turns', { value: 'x' })];
    collection.send('MODIFIED', thing('turns', 2, 'uid-turns', { value: 'x' }));
    collection.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    await until(() => collection.watches.length === 2);
    expect(reflector.store.get('ns', 'turns')?.metadata.resourceVersion).toBe('1');
    collection.send('DELETED', thing('turns', 3, 'uid-turns', { value: 'x' }));
    await until(() => reflector.store.size === 1);
    expect(log.at(-1)).toBe('deleted turns uid-turns 1');
  });

  it('survives a handler that throws', async () => {
    collection.items = [thing('a', 1), thing('b', 1)];
    const { reflector, errors } = reflect('added');
    await until(() => collection.watches.length === 1);
    expect(reflector.store.size).toBe(2);
    expect(errors).toEqual([
      expect.stringContaining('handler added of ns/a'),
      expect.stringContaining('handler added of ns/b'),
    ]);
  });

  it('does not spin on a watch that always ends at once', async () => {
    const normal = server.answer;
    server.answer = (request, response) =>
      request.query.has('watch') ? response.writeHead(200).end() : normal(request, response);
    reflect();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // 300 ms are 15 s on the fast clock: pauses of 0.4 s and more, doubling.
    expect(server.requests.length).toBeLessThan(10);
  });

  it('stops when told', async () => {
    const { done } = reflect();
    await until(() => collection.watches.length === 1);
    stop.now();
    await done;
  });
});
