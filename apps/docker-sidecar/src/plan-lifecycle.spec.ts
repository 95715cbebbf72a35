import type { ContainerFact } from './facts.ts';
import { plan, type PlanInput, type Step } from './plan.ts';
import { plainHealth, type ContainerHealth } from './probes/health.ts';
import { at, exited, factsOf, makeFact, makePod, sandbox, startOfTime } from './testing/jobs.ts';

/** A step in one word: `start a#1`, `wait+10`, `kill a (liveness)`, `terminate`. */
function word(step: Step): string {
  switch (step.do) {
    case 'start':
      return `start ${step.start.container.name}#${step.start.attempt}`;
    case 'wait':
      return `wait+${(step.at - startOfTime) / 1000}`;
    case 'kill':
      return `kill ${step.fact.name} (${step.why})`;
    case 'postStart':
      return `postStart ${step.fact.name}`;
    default:
      return step.do;
  }
}

type Health = Record<string, Partial<ContainerHealth>>;
function steps(spec: Record<string, unknown>, facts: ContainerFact[], health: Health = {}, seconds = 5): string[] {
  const input: PlanInput = {
    ...{ pod: makePod(spec), facts: factsOf(sandbox(), ...facts), startTime: at(0), waits: new Map() },
    health: ({ name }) => ({ ...plainHealth, ...health[name] }),
    now: startOfTime + seconds * 1000,
  };
  return plan(input).map(word);
}

const main = (name: string, fields: Partial<ContainerFact> = {}) => makeFact({ name, ...fields, id: `m-${name}` });
const init = (name: string, fields: Partial<ContainerFact> = {}) => makeFact({ role: 'init', name, ...fields });
const ended = (exitCode = 0): Partial<ContainerFact> => ({ state: 'exited', exitCode, finishedAt: at(5) });

describe('native sidecars', () => {
  const always = { restartPolicy: 'Always' };
  const spec = {
    restartPolicy: 'Never',
    initContainers: [{ name: 's1', ...always }, { name: 'once' }, { name: 's2', ...always }],
    containers: [{ name: 'a' }],
  };
  const gated = { started: false };

  it.each<[string, ContainerFact[], Health, string[]]>([
    ['come first', [], {}, ['start s1#0']],
    ['hold up the next until they have started', [init('s1')], { s1: gated }, []],
    ['then let it go', [init('s1')], {}, ['start once#0']],
    ['are waited for no more than that', [init('s1'), init('once')], {}, []],
    ['hold up the main containers too', [init('s1'), init('once', ended()), init('s2')], { s2: gated }, []],
    ['let them go', [init('s1'), init('once', ended()), init('s2')], {}, ['start a#0']],
    ['are started again, and block', [init('s1', ended())], {}, ['start s1#1']],
    ['but not what is further on', [init('s1', ended()), init('once')], {}, ['start s1#1']],
    ['nor the step after that', [init('s1', ended()), init('once', ended())], {}, ['start s1#1', 'start s2#0']],
    ['nor a gated one behind', [init('s1'), init('once', ended())], { s1: gated }, ['start s2#0']],
    ['beside main containers', [init('s1', ended(3)), init('s2'), main('a')], {}, ['start s1#1']],
    ['also one that the engine lost', [init('s2'), main('a')], {}, ['start s1#0']],
    [
      'are killed by their probes',
      [init('s1'), init('s2'), main('a')],
      { s2: { failed: 'liveness' } },
      ['kill s2 (liveness)'],
    ],
    ['end with the main containers', [init('s1'), init('s2', ended()), main('a', ended())], {}, ['terminate']],
    ['and then all is over', [init('s1', ended()), init('s2', ended()), main('a', ended())], {}, ['finish']],
    ['end when initialisation has failed', [init('s1'), init('once', ended(1))], {}, ['terminate']],
  ])('%s', (_, facts, health, expected) => expect(steps(spec, facts, health)).toEqual(expected));
});

describe('hooks and probes', () => {
  const hook = { lifecycle: { postStart: { exec: { command: ['x'] } } } };
  const spec = { containers: [{ name: 'a', ...hook }, { name: 'b', ...hook }, { name: 'c' }] };
  const busy = { hooked: false };

  it.each<[string, ContainerFact[], Health, string[]]>([
    ['a hook holds up those after it', [], {}, ['start a#0']],
    ['while it runs', [main('a')], { a: busy }, ['postStart a']],
    ['until it is done', [main('a')], {}, ['start b#0']],
    ['one without a hook holds up nobody', [main('a'), main('b')], {}, ['start c#0']],
    [
      'not even by waiting',
      [main('a', { ...ended(1), nextDelaySeconds: 10 }), main('b')],
      {},
      ['wait+15', 'start c#0'],
    ],
    [
      'a failed hook kills',
      [main('a'), main('b'), main('c')],
      { a: { hooked: false, failed: 'postStart' } },
      ['kill a (postStart)'],
    ],
    [
      'a failed startup probe kills',
      [main('a'), main('b'), main('c')],
      { c: { failed: 'startup' } },
      ['kill c (startup)'],
    ],
    ['who is not ready is left alone', [main('a'), main('b'), main('c')], { c: { ready: false } }, []],
  ])('%s', (_, facts, health, expected) => expect(steps(spec, facts, health)).toEqual(expected));
});

describe('activeDeadlineSeconds', () => {
  const spec = { restartPolicy: 'Never', activeDeadlineSeconds: 10 };
  it.each<[string, ContainerFact[], number, string[]]>([
    ['is waited for', [makeFact({})], 9, ['wait+10']],
    ['stops what runs', [makeFact({})], 10, ['terminate']],
    ['starts nothing more', [], 10, ['finish']],
    ['leaves alone who ended before', [exited(0)], 20, ['finish']],
  ])('%s', (_, facts, seconds, expected) => expect(steps(spec, facts, {}, seconds)).toEqual(expected));

  it('ends a back-off too', () => {
    const again = { ...spec, restartPolicy: 'Always' };
    const fact = exited(1, { nextDelaySeconds: 40 });
    expect(steps(again, [fact], {}, 9)).toEqual(['wait+45', 'wait+10']);
    expect(steps(again, [fact], {}, 10)).toEqual(['finish']);
  });
});

describe('the restart policy of a container', () => {
  const rule = (operator: string, ...values: number[]) => [{ action: 'Restart', exitCodes: { operator, values } }];
  it.each<[string, Record<string, unknown>, number, string[]]>([
    ['goes before that of the pod', { restartPolicy: 'OnFailure' }, 1, ['start main#1']],
    ['also when it forbids', { restartPolicy: 'Never' }, 1, ['finish']],
    ['rules go before it', { restartPolicy: 'Never', restartPolicyRules: rule('In', 42) }, 42, ['start main#1']],
    ['where they match', { restartPolicy: 'Never', restartPolicyRules: rule('In', 42) }, 1, ['finish']],
    ['or do not', { restartPolicy: 'Never', restartPolicyRules: rule('NotIn', 42) }, 1, ['start main#1']],
    ['as they say', { restartPolicy: 'Never', restartPolicyRules: rule('NotIn', 42) }, 42, ['finish']],
  ])('%s', (_, fields, code, expected) => {
    const restartPolicy = fields['restartPolicy'] === 'Never' && !fields['restartPolicyRules'] ? 'Always' : 'Never';
    expect(steps({ restartPolicy, containers: [{ name: 'main', ...fields }] }, [exited(code)])).toEqual(expected);
  });

  it('of an init container', () => {
    const spec = (restartPolicy: string, pod: string) => ({
      restartPolicy: pod,
      initContainers: [{ name: 'i', restartPolicy }],
    });
    expect(steps(spec('OnFailure', 'Never'), [init('i', ended(1))])).toEqual(['start i#1']);
    expect(steps(spec('Never', 'Always'), [init('i', ended(1))])).toEqual(['finish']);
  });
});

describe('while the pod runs', () => {
  const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'new:2' }] };
  it('another image ends the container and starts it at once, whatever the policy says', () => {
    expect(steps(spec, [makeFact({ image: 'old:1' })])).toEqual(['kill main (image)']);
    const over = exited(143, { image: 'old:1', nextDelaySeconds: 300 });
    expect(steps(spec, [over])).toEqual(['start main#1']);
    expect(steps(spec, [makeFact({ image: 'new:2' })])).toEqual([]);
  });

  it('ephemeral containers are started once, also during initialisation', () => {
    const debugged = { initContainers: [{ name: 'i' }], ephemeralContainers: [{ name: 'debug' }] };
    const debug = (fields: Partial<ContainerFact>) => makeFact({ role: 'ephemeral', name: 'debug', ...fields });
    expect(steps(debugged, [init('i')])).toEqual(['start debug#0']);
    expect(steps(debugged, [init('i'), debug({})])).toEqual([]);
    expect(steps(debugged, [init('i'), debug(ended(1))])).toEqual([]);
  });
});
