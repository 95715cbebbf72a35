import type { ContainerFact } from './facts.ts';
import { restartDue } from './backoff.ts';
import { plan, type ImageWait, type PlanInput, type Step } from './plan.ts';
import { plainHealth } from './probes/health.ts';
import { at, exited, factsOf, makeFact, makePod, sandbox, startOfTime } from './testing/jobs.ts';

const now = startOfTime + 5000;
const init = (name: string, fields: Partial<ContainerFact>): ContainerFact =>
  makeFact({ role: 'init', name, ...fields, id: `i-${name}` });
const done = (name: string, exitCode = 0) => init(name, exited(exitCode, { role: 'init', name }));

/** A step in one word: `start i1#0`, `start main#2/20` (next delay), `wait+10`, `prepare`, `finish`. */
function word(step: Step): string {
  switch (step.do) {
    case 'start': {
      const { container, attempt, nextDelaySeconds, existing } = step.start;
      const delay = nextDelaySeconds === 0 ? '' : `/${nextDelaySeconds}`;
      return `start ${container.name}#${attempt}${delay}${existing === undefined ? '' : ` as ${existing}`}`;
    }
    case 'wait':
      return `wait+${(step.at - startOfTime) / 1000}`;
    default:
      return step.do;
  }
}
const planOf = (spec: Record<string, unknown>, facts: ContainerFact[], input: Partial<PlanInput> = {}) =>
  plan({
    ...{ pod: makePod(spec), facts: factsOf(...facts), startTime: at(0), waits: new Map(), now },
    health: () => plainHealth,
    ...input,
  });
const steps = (spec: Record<string, unknown>, facts: ContainerFact[], waits: [string, ImageWait][] = [], time = now) =>
  planOf(spec, facts, { waits: new Map(waits), now: time }).map(word);

describe('order', () => {
  const spec = {
    restartPolicy: 'Never',
    initContainers: [{ name: 'i1' }, { name: 'i2' }],
    containers: [{ name: 'a' }, { name: 'b' }],
  };
  const main = (name: string, fields: Partial<ContainerFact> = {}) => makeFact({ name, ...fields });

  it.each<[string, ContainerFact[], string[]]>([
    ['nothing there', [], ['prepare']],
    ['a sandbox that does not run', [sandbox({ state: 'created' })], ['prepare']],
    ['a sandbox', [sandbox()], ['start i1#0']],
    ['the first is running', [sandbox(), init('i1', {})], []],
    ['the first has ended', [sandbox(), done('i1')], ['start i2#0']],
    ['the sandbox died in between', [sandbox({ state: 'exited' }), done('i1')], ['prepare']],
    ['the second has failed', [sandbox(), done('i1'), done('i2', 1)], ['finish']],
    ['and the sandbox is stopped', [sandbox({ state: 'exited' }), done('i1'), done('i2', 1)], []],
    ['all have ended', [sandbox(), done('i1'), done('i2')], ['start a#0', 'start b#0']],
    ['one main is running', [sandbox(), done('i1'), done('i2'), main('a')], ['start b#0']],
    ['both are', [sandbox(), done('i1'), done('i2'), main('a'), main('b')], []],
    // The engine was pruned: what main containers waited for has happened.
    ['an init container is gone', [sandbox(), main('a'), main('b')], []],
    ['one main has ended', [sandbox(), main('a', exited(1, { name: 'a' })), main('b')], []],
    ['all is over', [sandbox(), main('a', exited(1, { name: 'a' })), main('b', exited(0, { name: 'b' }))], ['finish']],
  ])('%s', (_, facts, expected) => expect(steps(spec, facts)).toEqual(expected));

  it('takes a container that was made but not started, instead of making another', () => {
    const created = makeFact({ state: 'created', attempt: 2, nextDelaySeconds: 20 });
    expect(steps({}, [sandbox(), created])).toEqual(['start main#2/20 as main-main-2']);
  });
});

describe('restart', () => {
  it.each<[string, number, boolean]>([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 0, false],
    ['OnFailure', 137, true],
    ['Never', 0, false],
    ['Never', 1, false],
  ])('%s after exit code %i: %s', (restartPolicy, code, again) => {
    expect(steps({ restartPolicy }, [sandbox(), exited(code)])).toEqual(again ? ['start main#1/10'] : ['finish']);
    const pod = makePod({ restartPolicy });
    const [container] = pod.spec.containers;
    expect(container && restartDue(pod, container, exited(code))).toBe(again ? now : undefined);
  });

  it('is Always where the pod says nothing', () => {
    expect(steps({}, [sandbox(), exited(0)])).toEqual(['start main#1/10']);
  });

  it.each(['Always', 'OnFailure'])('of an init container that failed, with %s', (restartPolicy) => {
    const spec = { restartPolicy, initContainers: [{ name: 'i1' }] };
    expect(steps(spec, [sandbox(), done('i1', 1)])).toEqual(['start i1#1/10']);
  });

  it('backs off 0, 10, 20, 40, 80, 160, 300, 300 s', () => {
    const delays: number[] = [];
    let nextDelaySeconds = 0;
    for (let attempt = 0; attempt < 8; attempt++) {
      const facts = [sandbox(), exited(1, { attempt, nextDelaySeconds })];
      delays.push(nextDelaySeconds);
      if (nextDelaySeconds > 0) expect(steps({}, facts)).toEqual([`wait+${5 + nextDelaySeconds}`]);
      const due = now + nextDelaySeconds * 1000;
      const [step] = planOf({}, facts, { now: due });
      if (step?.do !== 'start') throw new Error('not started when due');
      expect(step.start.attempt).toBe(attempt + 1);
      ({ nextDelaySeconds } = step.start);
    }
    expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it.each([
    [599, ['wait+899'], undefined],
    [600, ['start main#7/10'], undefined],
  ])('after a run of %i s: %j', (seconds, expected) => {
    const fact = exited(1, { attempt: 6, nextDelaySeconds: 300, finishedAt: at(seconds) });
    expect(steps({}, [sandbox(), fact], [], startOfTime + seconds * 1000)).toEqual(expected);
  });

  it('is timed from the creation when it could not even start', () => {
    const fact = exited(127, { startedAt: undefined, finishedAt: undefined, createdAt: at(2), nextDelaySeconds: 10 });
    expect(steps({}, [sandbox(), fact])).toEqual(['wait+12']);
  });

  it('of one container does not touch the others', () => {
    const spec = { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] };
    const facts = [
      sandbox(),
      makeFact({ name: 'a' }),
      exited(1, { name: 'b', nextDelaySeconds: 10 }),
      exited(1, { name: 'c' }),
    ];
    expect(steps(spec, facts)).toEqual(['wait+15', 'start c#1/10']);
  });
});

describe('an image that cannot be had', () => {
  const wait = (seconds: number): [string, ImageWait] => [
    'main',
    { reason: 'ErrImagePull', message: '', retryAt: startOfTime + seconds * 1000, delayMs: 10_000 },
  ];

  it.each<[string, ContainerFact[], [string, ImageWait], string[]]>([
    ['is tried again when due', [sandbox()], wait(5), ['start main#0']],
    ['is waited for until then', [sandbox()], wait(6), ['wait+6']],
    ['needs no sandbox for the waiting', [], wait(6), ['wait+6']],
    ['holds up a restart too', [sandbox(), exited(1)], wait(9), ['wait+9']],
    ['but the longer back-off counts', [sandbox(), exited(1, { nextDelaySeconds: 20 })], wait(9), ['wait+25']],
    ['holds up a created container', [sandbox(), makeFact({ state: 'created' })], wait(9), ['wait+9']],
  ])('%s', (_, facts, waiting, expected) => expect(steps({}, facts, [waiting])).toEqual(expected));
});
