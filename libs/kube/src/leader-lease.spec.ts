import { KubeClient } from './client.ts';
import { LeaderLease } from './leader-lease.ts';
import { type Lease, leasePath } from './lease-object.ts';
import { FakeApiServer, sendStatus } from './testing/fake-api-server.ts';
import { fastClock, until } from './testing/fake-clock.ts';
import { FakeObjects } from './testing/fake-objects.ts';

const path = leasePath('ns', 'lead');
const clock = fastClock(40);

describe('LeaderLease', () => {
  let server: FakeApiServer;
  let objects: FakeObjects;
  let stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    objects = new FakeObjects();
    server.answer = (request, response) => objects.answer(request, response);
  });
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    stops = [];
    await server.stop();
  });

  const spec = (): Lease['spec'] => objects.byPath.get(path)?.['spec'] as Lease['spec'];

  function candidate(identity: string, log: string[] = [], work?: (leading: AbortSignal) => Promise<void>) {
    const client = KubeClient.load({ kubeconfig: server.kubeconfig });
    const errors: unknown[] = [];
    const lease = new LeaderLease({
      client,
      namespace: 'ns',
      name: 'lead',
      identity,
      onError: (e) => errors.push(e),
      clock,
    });
    const controller = new AbortController();
    const done = lease.run(controller.signal, {
      onAcquired: async (leading) => {
        log.push(`${identity} leads`);
        await work?.(leading);
        leading.addEventListener('abort', () => log.push(`${identity} stops`));
      },
      onLost: () => log.push(`${identity} lost`),
    });
    const stop = async (): Promise<void> => {
      controller.abort();
      await done;
    };
    stops.push(() => stop().catch(() => undefined));
    return { log, errors, stop, done };
  }

  it('acquires a new lease, renews it, and hands it over at its stop', async () => {
    const log: string[] = [];
    const a = candidate('a', log);
    await until(() => log.length === 1);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    const first = spec()?.renewTime;
    expect(first).toMatch(/\.\d{6}Z$/);
    candidate('b', log);
    await until(() => spec()?.renewTime !== first);
    await a.stop();
    await until(() => log.length === 3);
    expect(log).toEqual(['a leads', 'a stops', 'b leads']);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(a.errors).toEqual([]);
  });

  it('takes over only from a holder that stays silent for its whole duration, whatever its clock says', async () => {
    const past = '2001-01-01T00:00:00.000000Z';
    const held = { holderIdentity: 'z', leaseDurationSeconds: 20, renewTime: past, acquireTime: past };
    objects.put(path, { metadata: { name: 'lead' }, spec: held });
    const begin = clock.now();
    const { log } = candidate('a');
    await until(() => clock.now() - begin > 10_000);
    objects.put(path, { metadata: { name: 'lead' }, spec: { ...held, renewTime: '2001-01-01T00:00:05.000000Z' } });
    await until(() => log.length === 1);
    expect(clock.now() - begin).toBeGreaterThanOrEqual(30_000);
    expect(spec()?.holderIdentity).toBe('a');
  });

  it('takes its own lease back at once after a restart', async () => {
    const now = '2030-01-01T00:00:00.000000Z';
    objects.put(path, {
      metadata: { name: 'lead' },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 3600, renewTime: now, acquireTime: now },
    });
    const { log } = candidate('a');
    await until(() => log.length === 1);
    expect(spec()?.leaseTransitions).toBe(0);
  });

  it('is lost when it cannot be renewed, before another may take it, and is taken again', async () => {
    const { log, errors } = candidate('a');
    await until(() => log.length === 1);
    const normal = server.answer;
    server.answer = (_, response) => sendStatus(response, 503, 'ServiceUnavailable');
    const begin = clock.now();
    await until(() => log.length === 3);
    expect(log.slice(1).sort()).toEqual(['a lost', 'a stops']);
    expect(clock.now() - begin).toBeLessThan(15_000);
    expect(errors.length).toBeGreaterThan(1);
    server.answer = normal;
    await until(() => log.length === 4);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  it('keeps leading when others touch the object, or the answer to a renewal is lost', async () => {
    const { log, errors } = candidate('a');
    await until(() => log.length === 1);
    objects.put(path, { ...objects.byPath.get(path), metadata: { name: 'lead', annotations: { touched: 'yes' } } });
    const touched = spec()?.renewTime;
    await until(() => spec()?.renewTime !== touched);
    expect(objects.byPath.get(path)?.metadata).toMatchObject({ annotations: { touched: 'yes' } });
    const normal = server.answer;
    server.answer = (request, response) => {
      const end = response.end.bind(response);
      if (request.method === 'PUT') response.end = () => response.destroy();
      normal(request, response);
      response.end = end;
    };
    await until(() => errors.length > 0);
    server.answer = normal;
    const lost = spec()?.renewTime;
    await until(() => spec()?.renewTime !== lost);
    expect(log).toEqual(['a leads']);
  });

  it('yields to a second process of its own name, once', async () => {
    const log: string[] = [];
    candidate('a', log);
    await until(() => log.length === 1);
    candidate('a', log);
    await until(() => log.includes('a lost'));
    const begin = clock.now();
    await until(() => clock.now() - begin > 40_000);
    expect(log.filter((line) => line === 'a leads')).toHaveLength(2);
  });

  it('holds the lease until the work has ended, and only then releases it', async () => {
    let finish = (): void => undefined;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const { log, stop } = candidate('a', [], () => work);
    await until(() => log.length === 1);
    const stopped = stop();
    const before = spec()?.renewTime;
    await until(() => spec()?.renewTime !== before);
    expect(spec()?.holderIdentity).toBe('a');
    finish();
    await stopped;
    expect(spec()?.holderIdentity).toBe('');
  });

  it('releases the lease and rejects when the work fails', async () => {
    const { done } = candidate('a', [], () => Promise.reject(new Error('cannot work')));
    await expect(done).rejects.toThrow('cannot work');
    expect(spec()?.holderIdentity).toBe('');
  });
});
