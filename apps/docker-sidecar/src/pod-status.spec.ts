import type { ContainerStatus, PodPhase } from '@interlink/contract';
import type { ContainerFact } from './facts.ts';
import type { ImageWait } from './plan.ts';
import { podStatus, type StatusContext } from './pod-status.ts';
import { plainHealth } from './probes/health.ts';
import { at, exited, factsOf, makeFact, makeJob, sandbox, startOfTime } from './testing/jobs.ts';

const context: StatusContext = {
  ...{ site: 's', waits: new Map(), messages: new Map(), deleting: false, podIPsRoutable: false },
  health: () => plainHealth,
  now: startOfTime,
};
const status = (spec: Record<string, unknown>, facts: ContainerFact[], changed: Partial<StatusContext> = {}) =>
  podStatus(makeJob(spec), factsOf(...facts), { ...context, ...changed });

/** A state in one word: `running`, `waiting:REASON`, `CODE:REASON`. */
const word = ({ state }: ContainerStatus): string => {
  const { running, waiting, terminated } = state ?? {};
  if (running) return 'running';
  return waiting ? `waiting:${waiting.reason ?? ''}` : `${terminated?.exitCode ?? ''}:${terminated?.reason ?? ''}`;
};
const never = { restartPolicy: 'Never' };

describe('a container', () => {
  it.each<[string, Record<string, unknown>, ContainerFact[], string, PodPhase, Partial<ContainerStatus>]>([
    ['not there', never, [], 'waiting:ContainerCreating', 'Pending', { ready: false, restartCount: 0, imageID: '' }],
    ['made', never, [makeFact({ state: 'created' })], 'waiting:ContainerCreating', 'Pending', { ready: false }],
    [
      'running',
      never,
      [makeFact({})],
      'running',
      'Running',
      { ready: true, started: true, containerID: 'docker://main-main-0', imageID: 'sha256:1', image: 'busybox:1' },
    ],
    ['done', never, [exited(0)], '0:Completed', 'Succeeded', { ready: false, started: false }],
    ['failed', never, [exited(3)], '3:Error', 'Failed', {}],
    ['out of memory', never, [exited(137, { oomKilled: true })], '137:OOMKilled', 'Failed', {}],
    [
      'not startable',
      never,
      [exited(127, { startedAt: undefined, finishedAt: undefined, error: 'exec: "nope": not found' })],
      '127:ContainerCannotRun',
      'Failed',
      {},
    ],
    ['killed with an error beside it', never, [exited(137, { error: 'x' })], '137:Error', 'Failed', {}],
    ['about to start again at once', {}, [exited(1)], '1:Error', 'Running', { ready: false, restartCount: 0 }],
    [
      'backing off',
      {},
      [exited(1, { attempt: 2, nextDelaySeconds: 20 })],
      'waiting:CrashLoopBackOff',
      'Running',
      {
        ready: false,
        started: false,
        restartCount: 2,
        lastState: { terminated: expect.objectContaining({ exitCode: 1 }) as never },
      },
    ],
    [
      'running again',
      {},
      [makeFact({ attempt: 1 }), exited(1)],
      'running',
      'Running',
      { restartCount: 1, lastState: { terminated: expect.objectContaining({ exitCode: 1 }) as never } },
    ],
    [
      'done, with OnFailure',
      { restartPolicy: 'OnFailure' },
      [exited(0, { nextDelaySeconds: 10 })],
      '0:Completed',
      'Succeeded',
      {},
    ],
  ])('%s', (_, spec, facts, state, phase, fields) => {
    const { containers, phase: found } = status(spec, [sandbox(), ...facts]);
    expect(containers?.map(word)).toEqual([state]);
    expect(found).toBe(phase);
    expect(containers).toMatchObject([fields]);
  });

  it('says since when, until when and why', () => {
    const [ended] = status(never, [sandbox(), exited(1)]).containers ?? [];
    expect(ended?.state?.terminated).toMatchObject({
      startedAt: at(0),
      finishedAt: at(5),
      containerID: 'docker://main-main-0',
    });
    const failed = exited(127, {
      startedAt: undefined,
      finishedAt: undefined,
      createdAt: at(1),
      error: 'no such file',
    });
    const [cannot] = status(never, [sandbox(), failed]).containers ?? [];
    expect(cannot?.state?.terminated).toMatchObject({ message: 'no such file', startedAt: at(1), finishedAt: at(1) });
    const [backingOff] = status({}, [sandbox(), exited(1, { nextDelaySeconds: 40 })]).containers ?? [];
    expect(backingOff?.state?.waiting?.message).toBe('back-off 40s restarting failed container=main pod=pod_ns(u)');
  });
});

describe('init containers', () => {
  const spec = { ...never, initContainers: [{ name: 'i1', image: 'i' }] };
  const init = (fields: Partial<ContainerFact>) => makeFact({ role: 'init', name: 'i1', ...fields });

  it.each<[string, ContainerFact[], string, string, PodPhase, boolean]>([
    ['not there', [], 'waiting:PodInitializing', 'waiting:PodInitializing', 'Pending', false],
    ['running', [init({})], 'running', 'waiting:PodInitializing', 'Pending', false],
    [
      'done',
      [init(exited(0, { role: 'init', name: 'i1' }))],
      '0:Completed',
      'waiting:PodInitializing',
      'Pending',
      true,
    ],
    ['failed', [init(exited(1, { role: 'init', name: 'i1' }))], '1:Error', 'waiting:PodInitializing', 'Failed', false],
  ])('%s', (_, facts, initState, mainState, phase, ready) => {
    const found = status(spec, [sandbox(), ...facts]);
    expect([found.initContainers?.map(word), found.containers?.map(word), found.phase]).toEqual([
      [initState],
      [mainState],
      phase,
    ]);
    expect(found.initContainers?.[0]?.ready).toBe(ready);
  });
});

describe('a wait', () => {
  const wait: ImageWait = { reason: 'ImagePullBackOff', message: 'why', retryAt: 0, delayMs: 0 };
  const waits = new Map([['main', wait]]);

  it.each<[string, ContainerFact[], Partial<StatusContext>, string]>([
    ['shows its reason', [], { waits }, 'waiting:ImagePullBackOff'],
    ['does not hide a container that runs', [makeFact({})], { waits }, 'running'],
    ['hides the end before it', [exited(1)], { waits }, 'waiting:ImagePullBackOff'],
    ['is over when the pod is being deleted', [exited(1)], { waits, deleting: true }, '1:Error'],
  ])('%s', (_, facts, changed, expected) => {
    const found = status({}, [sandbox(), ...facts], changed);
    expect(found.containers?.map(word)).toEqual([expected]);
  });
});

describe('a pod', () => {
  it('that is being deleted starts nothing again', () => {
    const facts = [sandbox(), exited(143, { nextDelaySeconds: 10 })];
    expect(status({}, facts, { deleting: true })).toMatchObject({
      phase: 'Failed',
      containers: [{ state: { terminated: { exitCode: 143 } } }],
    });
    expect(status({}, [sandbox(), exited(0)], { deleting: true }).phase).toBe('Succeeded');
  });

  it('has its identity, and an address only where that can be reached', () => {
    expect(status({}, [sandbox()])).toMatchObject({
      name: 'pod',
      namespace: 'ns',
      UID: 'u',
      JID: expect.stringMatching(/^interlink-[0-9a-f]{16}$/) as string,
      site: 's',
      startTime: at(0),
    });
    expect(status({}, [sandbox()])).not.toHaveProperty('podIPs');
    expect(status({}, [sandbox({ ip: '' })], { podIPsRoutable: true })).not.toHaveProperty('podIPs');
    expect(status({}, [sandbox()], { podIPsRoutable: true }).podIPs).toEqual(['172.17.0.2']);
  });
});
