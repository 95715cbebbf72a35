import { jest } from '@jest/globals';
import { makeFact, makePod, startOfTime } from '../testing/jobs.ts';
import { graceSecondsFor, terminateAll, type Target, type TerminationCalls } from './termination.ts';

beforeEach(() => void jest.useFakeTimers({ now: startOfTime }));
afterEach(() => void jest.useRealTimers());
const never = new AbortController().signal;

const preStop = { lifecycle: { preStop: { exec: { command: ['x'] } } } };
const pod = makePod({
  initContainers: [
    { name: 's1', restartPolicy: 'Always', ...preStop },
    { name: 's2', restartPolicy: 'Always' },
  ],
  containers: [{ name: 'a' }, { name: 'b', ...preStop }],
});
const targets: Target[] = [
  ...(pod.spec.initContainers ?? []).map((container) => ({
    container,
    fact: makeFact({ role: 'init', name: container.name }),
  })),
  ...pod.spec.containers.map((container) => ({ container, fact: makeFact({ name: container.name }) })),
];

/** What is done and when, if each container takes so many seconds for its hook and to end. */
async function terminate(grace: number, hooks: Record<string, number>, ends: Record<string, number>, signal = never) {
  const log: string[] = [];
  const at = () => (Date.now() - startOfTime) / 1000;
  const pass = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000));
  const calls: TerminationCalls = {
    now: Date.now,
    preStop: async ({ container }) => {
      log.push(`${at()} hook ${container.name}`);
      await pass(hooks[container.name] ?? 0);
    },
    stop: async ({ container }, graceSeconds) => {
      log.push(`${at()} stop ${container.name} ${graceSeconds}`);
      await pass(Math.min(graceSeconds, ends[container.name] ?? 0));
    },
  };
  const done = terminateAll(pod, targets, startOfTime + grace * 1000, calls, signal).then(
    () => log.push(`${at()} done`),
    () => log.push(`${at()} cut`),
  );
  await jest.advanceTimersByTimeAsync(200_000);
  await done;
  return log;
}

it('main containers end together, sidecars after them in reverse; all hooks come first', async () => {
  expect(await terminate(30, { s1: 1, b: 2 }, { a: 3, b: 4, s2: 5, s1: 1 })).toEqual([
    ...['0 stop a 30', '0 hook b', '0 hook s1', '2 stop b 28'],
    ...['6 stop s2 24', '11 stop s1 19', '12 done'],
  ]);
});

it('a hook that takes the whole grace period leaves two seconds', async () => {
  expect(await terminate(5, { b: 60 }, { a: 60, b: 60, s2: 60, s1: 60 })).toEqual([
    ...['0 stop a 5', '0 hook b', '0 hook s1', '5 stop b 2', '5 stop s2 2', '5 stop s1 2', '7 done'],
  ]);
});

it('no grace: no hook and no turn', async () => {
  expect(await terminate(0, {}, {})).toEqual(['0 stop a 0', '0 stop b 0', '0 stop s2 0', '0 stop s1 0', '0 done']);
});

it('is cut by its signal', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 1000);
  const log = await terminate(30, { b: 10, s1: 10 }, { a: 2 }, abort.signal);
  expect(log).toEqual(['0 stop a 30', '0 hook b', '0 hook s1', '2 cut']);
});

it.each([
  ['image', 40],
  ['postStart', 40],
  ['liveness', 3],
  ['startup', 40],
] as const)('a container that is killed because of its %s has %i s', (why, seconds) => {
  const probed = makePod({
    terminationGracePeriodSeconds: 40,
    containers: [{ name: 'main', livenessProbe: { terminationGracePeriodSeconds: 3 }, startupProbe: {} }],
  });
  const [container] = probed.spec.containers;
  expect(container && graceSecondsFor(probed, container, why)).toBe(seconds);
});
