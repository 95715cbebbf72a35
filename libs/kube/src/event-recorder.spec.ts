import { KubeClient } from './client.ts';
import { EventRecorder } from './event-recorder.ts';
import { FakeApiServer, sendStatus } from './testing/fake-api-server.ts';
import { FakeClock, until } from './testing/fake-clock.ts';
import { FakeObjects } from './testing/fake-objects.ts';

const involved = { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u' };

describe('EventRecorder', () => {
  let server: FakeApiServer;
  let objects: FakeObjects;
  let clock: FakeClock;
  const stop = new AbortController();

  beforeEach(async () => {
    objects = new FakeObjects();
    clock = new FakeClock();
    server = await FakeApiServer.start((request, response) => objects.answer(request, response));
  });
  afterEach(() => server.stop());
  afterAll(() => stop.abort());

  function recorder(queueSize?: number) {
    const errors: unknown[] = [];
    const events = new EventRecorder({
      client: KubeClient.load({ kubeconfig: server.kubeconfig }),
      component: 'vk',
      host: 'h',
      onError: (error) => errors.push(error),
      queueSize,
      clock,
    });
    const record = (
      reason: string,
      message = 'm',
      about: typeof involved | Omit<typeof involved, 'namespace'> = involved,
    ): void => events.event({ involved: about, type: 'Warning', reason, message });
    return { events, record, errors };
  }

  const written = () => [...objects.byPath.values()];

  it('writes an Event as the API has it', async () => {
    const { events, record } = recorder();
    void events.run(stop.signal);
    record('Failed', 'x'.repeat(2000));
    await until(() => written().length === 1);
    expect(written()[0]).toMatchObject({
      metadata: { name: expect.stringMatching(/^p\.[0-9a-f]+$/) as unknown, namespace: 'ns' },
      involvedObject: involved,
      type: 'Warning',
      reason: 'Failed',
      message: 'x'.repeat(1024),
      source: { component: 'vk', host: 'h' },
      reportingComponent: 'vk',
      reportingInstance: 'h',
      firstTimestamp: '2030-01-01T00:00:00Z',
      count: 1,
    });
    const { namespace: _, ...node } = involved;
    record('Ready', 'm', node);
    await until(() => written().length === 2);
    expect(server.requests.at(-1)?.path).toBe('/api/v1/namespaces/default/events');
  });

  it('counts repeats in one Event, with one write in 10 s', async () => {
    const { events, record } = recorder();
    void events.run(stop.signal);
    record('Waiting');
    await until(() => server.requests.length === 1);
    for (let second = 0; second < 9; second += 1) {
      record('Waiting');
      await clock.advance(1000);
    }
    expect(server.requests).toHaveLength(1);
    await clock.advance(1000);
    await until(() => written()[0]?.['count'] === 10);
    record('Waiting', 'another message');
    await until(() => written().length === 2);
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(written()[0]).toMatchObject({ lastTimestamp: '2030-01-01T00:00:08Z' });
  });

  it('writes anew what has expired', async () => {
    const { events, record } = recorder();
    void events.run(stop.signal);
    record('Waiting');
    await until(() => written().length === 1);
    await events.flush();
    objects.byPath.clear();
    await clock.advance(11_000);
    record('Waiting');
    await until(() => written().length === 1);
    expect(written()[0]).toMatchObject({ count: 2, firstTimestamp: '2030-01-01T00:00:00Z' });
  });

  it('tries again while the server is away, and gives up what it refuses', async () => {
    const { events, record, errors } = recorder();
    void events.run(stop.signal);
    const normal = server.answer;
    server.answer = (_, response) => sendStatus(response, 503, 'ServiceUnavailable');
    record('Failed');
    await until(() => server.requests.length === 1);
    await events.flush();
    server.answer = normal;
    await clock.advance(5000);
    await until(() => written().length === 1);
    server.answer = (_, response) => sendStatus(response, 403, 'Forbidden');
    record('Refused');
    await until(() => events.dropped === 1);
    expect(errors).toMatchObject([{ status: 403 }]);
  });

  it('drops and counts what does not fit, and flushes what does', async () => {
    const { events, record } = recorder(2);
    for (const reason of ['A', 'B', 'B', 'C']) record(reason);
    expect(events.dropped).toBe(1);
    void events.run(stop.signal);
    record('A');
    await events.flush();
    expect(written().map(({ reason, count }) => [reason, count])).toEqual([
      ['A', 2],
      ['B', 2],
    ]);
  });
});
