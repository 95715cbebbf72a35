import { messagesFolder, PodFacts, toFact } from './facts.ts';
import { label } from './labels.ts';
import { exited, factsOf, makeFact, sandbox } from './testing/jobs.ts';

const inspect = (state: object = {}, labels: Record<string, string> | null = {}, rest: object = {}) => ({
  Id: 'abc',
  Created: '2026-01-01T00:00:00.1Z',
  Image: 'sha256:1',
  State: {
    Status: 'running',
    Running: true,
    OOMKilled: false,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-01T00:00:01.123456789Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    ...state,
  },
  Config: {
    Labels: labels && { [label.job]: 'j', [label.role]: 'main', [label.container]: 'c', ...labels },
  },
  NetworkSettings: { Networks: {} },
  ...rest,
});

describe('toFact', () => {
  it('reduces what the engine says', () => {
    const labels = { [label.attempt]: '3', [label.nextDelay]: '40', [label.image]: 'busybox:1' };
    const limits = { Memory: 7, MemorySwap: 7, CpuQuota: 5, CpuShares: 2 };
    const mounts = {
      HostConfig: { ...limits, More: 1 },
      Mounts: [{ Destination: '/v' }, { Destination: messagesFolder, Source: '/volumes/x' }],
    };
    expect(toFact(inspect({}, labels, mounts))).toEqual({
      id: 'abc',
      job: 'j',
      role: 'main',
      name: 'c',
      attempt: 3,
      nextDelaySeconds: 40,
      state: 'running',
      startedAt: '2026-01-01T00:00:01.123456789Z',
      finishedAt: undefined,
      createdAt: '2026-01-01T00:00:00.1Z',
      exitCode: 0,
      oomKilled: false,
      error: '',
      imageId: 'sha256:1',
      image: 'busybox:1',
      messagesSource: '/volumes/x',
      ip: '',
      gateway: '',
      limits,
      devices: '',
    });
  });

  it.each([
    [{ Status: 'running', Running: true }, 'running'],
    [{ Status: 'paused', Running: true }, 'running'],
    [{ Status: 'created', Running: false }, 'created'],
    [{ Status: 'created', Running: false, Error: 'exec: not found', ExitCode: 127 }, 'exited'],
    [{ Status: 'exited', Running: false, ExitCode: 137, OOMKilled: true }, 'exited'],
    [{ Status: 'dead', Running: false }, 'exited'],
    [{ Status: 'removing', Running: false }, 'exited'],
  ])('%j is %s', (state, expected) => expect(toFact(inspect(state))?.state).toBe(expected));

  it.each([null, {}, { [label.job]: 'j' }, { [label.role]: 'main' }, { [label.job]: 'j', [label.role]: 'other' }])(
    'is none of ours with the labels %j',
    (labels) => expect(toFact({ ...inspect(), Config: { Labels: labels } })).toBeUndefined(),
  );

  it('finds the address of a sandbox on whichever network it is', () => {
    const networks = { none: { IPAddress: '' }, bridge: { IPAddress: '172.17.0.2', Gateway: '172.17.0.1' } };
    const found = toFact(inspect({}, { [label.role]: 'sandbox' }, { NetworkSettings: { Networks: networks } }));
    expect(found).toMatchObject({ role: 'sandbox', ip: '172.17.0.2', gateway: '172.17.0.1' });
    expect(toFact(inspect({}, {}, { NetworkSettings: null }))).toMatchObject({ ip: '', gateway: '' });
  });
});

describe('PodFacts', () => {
  it('does not take back an end when looks arrive out of order', () => {
    const facts = factsOf(exited(3), makeFact({}));
    expect(facts.attempts('main', 'main').latest).toMatchObject({ state: 'exited', exitCode: 3 });
    // A sandbox is started again.
    expect(factsOf(sandbox({ state: 'exited' }), sandbox()).sandbox?.state).toBe('running');
  });

  it('remembers who was out of memory, whatever the engine says later', () => {
    const facts = factsOf(makeFact({ name: 'a' }), makeFact({ name: 'b' }));
    facts.markOutOfMemory('main-a-0');
    facts.reset([exited(3, { name: 'a' }), exited(137, { name: 'b' })]);
    const killed = (name: string) => facts.attempts('main', name).latest?.oomKilled;
    expect([killed('a'), killed('b')]).toEqual([true, false]);
  });

  it('knows the present attempt and the one before it, by role and name', () => {
    const facts = factsOf(
      exited(1, { attempt: 9 }),
      makeFact({ attempt: 10 }),
      exited(1, { attempt: 8 }),
      makeFact({ role: 'init', attempt: 99 }),
      makeFact({ name: 'other', attempt: 98 }),
    );
    const { latest, previous } = facts.attempts('main', 'main');
    expect([latest?.attempt, previous?.attempt]).toEqual([10, 9]);
    facts.remove('main-main-10');
    expect(facts.attempts('main', 'main').latest?.attempt).toBe(9);
    expect(new PodFacts().attempts('main', 'main')).toEqual({});
  });
});
