import type { Container } from '@interlink/contract';
import pLimit from 'p-limit';
import { FakeEngine } from '../testing/fake-engine.ts';
import { exited, factsOf, makeFact, makePod, sandbox } from '../testing/jobs.ts';
import { reportedResources, Resizer, resizeRestarts } from './resize.ts';

const mib = 1024 * 1024;
const limits = { Memory: 64 * mib, MemorySwap: 64 * mib, CpuQuota: 50_000, CpuShares: 512 };
const podOf = (memory: string, more: object = {}) =>
  makePod({ containers: [{ name: 'main', image: 'i', resources: { limits: { memory, cpu: '500m' } }, ...more }] });
const only = (pod: ReturnType<typeof makePod>): Container => {
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error('no container');
  return container;
};

function resizer(memory: string, more: object = {}, fact = makeFact({ limits })) {
  const engine = new FakeEngine();
  const pod = podOf(memory, more);
  const facts = factsOf(sandbox(), fact);
  return {
    engine,
    one: new Resizer({ engine, limit: pLimit(1) }, { facts, job: { pod }, containerOf: () => only(pod) }),
  };
}

describe('a resize', () => {
  it('is due for a running container that has other limits than its pod says, and told to the engine once', async () => {
    const { engine, one } = resizer('65Mi');
    const [due] = one.due();
    const wanted = { ...limits, Memory: 65 * mib, MemorySwap: 65 * mib };
    expect(due).toEqual({ id: 'main-main-0', limits: wanted });
    if (due === undefined) throw new Error('nothing is due');
    await one.apply(due, new AbortController().signal);
    expect(engine.calls).toEqual([`update main-main-0 ${JSON.stringify(wanted)}`]);
    expect(one.due()).toEqual([]);
  });

  it('is not due when nothing has changed, when nothing runs, and when the container is to be restarted for it', () => {
    expect(resizer('64Mi').one.due()).toEqual([]);
    expect(resizer('65Mi', {}, exited(0, { limits })).one.due()).toEqual([]);
    expect(
      resizer('65Mi', { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }).one.due(),
    ).toEqual([]);
  });
});

it.each([
  ['64Mi', 'memory', 'RestartContainer', false],
  ['65Mi', 'memory', 'RestartContainer', true],
  ['65Mi', 'memory', 'NotRequired', false],
  ['65Mi', 'cpu', 'RestartContainer', false],
])('memory %s with the policy of %s at %s wants a restart: %s', (memory, resourceName, restartPolicy, expected) => {
  const pod = podOf(memory, { resizePolicy: [{ resourceName, restartPolicy }] });
  expect(resizeRestarts(only(pod), limits)).toBe(expected);
});

it('the status tells what a container runs with', () => {
  const pod = podOf('65Mi');
  const of = (fact: Parameters<typeof reportedResources>[2]) => reportedResources(pod, only(pod), fact);
  expect(of(makeFact({ limits }))).toEqual({ resources: { limits: { memory: '64Mi', cpu: '500m' } } });
  const after = { ...limits, Memory: 65 * mib };
  expect(of(makeFact({ limits: after }))).toEqual({ resources: { limits: { memory: '65Mi', cpu: '500m' } } });
  expect(of(undefined)).toEqual({});
  expect(of(exited(0, { limits }))).toEqual({});
});
