import { jest } from '@jest/globals';
import { makeFact, makePod, startOfTime } from '../testing/jobs.ts';
import { Prober } from './prober.ts';
import type { Probe } from './settings.ts';

beforeEach(() => void jest.useFakeTimers({ now: startOfTime }));
afterEach(() => void jest.useRealTimers());

const look = { exec: { command: ['x'] } };

/** Probes a container that has just started, for so many seconds. Each probe is known by its command. */
async function probe(
  probes: Record<string, unknown>,
  answers: (kind: string, second: number) => boolean | undefined | Promise<boolean>,
  seconds: number,
  started = false,
): Promise<{ looks: string[]; verdicts: string[] }> {
  const [container] = makePod({ containers: [{ name: 'main', ...probes }] }).spec.containers;
  if (container === undefined) throw new Error('no container');
  const [looks, verdicts]: [string[], string[]] = [[], []];
  const second = () => Math.round((Date.now() - startOfTime) / 1000);
  const prober = new Prober({
    ...{ container, fact: makeFact({}), started, now: Date.now },
    check: async ({ exec }: Probe) => {
      const kind = exec?.command?.[0] ?? '';
      looks.push(`${kind}@${second()}`);
      return answers(kind, second());
    },
    verdict: (kind, verdict) => void verdicts.push(`${kind}${verdict ? '+' : '-'}@${second()}`),
  });
  await jest.advanceTimersByTimeAsync(seconds * 1000);
  await prober.stop();
  await jest.advanceTimersByTimeAsync(100_000);
  return { looks, verdicts };
}
const named = (kind: string, fields: Record<string, unknown> = {}) => ({
  [`${kind}Probe`]: { exec: { command: [kind] }, ...fields },
});

describe('a probe', () => {
  it('comes after its initial delay, then once in each period, and no more once it was stopped', async () => {
    const { looks } = await probe(named('readiness', { initialDelaySeconds: 3, periodSeconds: 5 }), () => true, 14);
    expect(looks).toEqual(['readiness@3', 'readiness@8', 'readiness@13']);
  });

  it('every 10 s, and 3 failures count, where the pod says nothing', async () => {
    const { verdicts } = await probe(named('liveness'), () => false, 60);
    expect(verdicts).toEqual(['liveness-@20']);
  });

  it('of liveness stops at its failure; of readiness it goes on', async () => {
    const fast = { periodSeconds: 1, failureThreshold: 1 };
    const { looks, verdicts } = await probe(
      { ...named('liveness', fast), ...named('readiness', fast) },
      (_, at) => at >= 2,
      4,
    );
    expect(looks.filter((one) => one.startsWith('liveness'))).toEqual(['liveness@0']);
    expect(verdicts.filter((one) => one.startsWith('readiness'))).toEqual([
      ...['readiness-@0', 'readiness-@1', 'readiness+@2', 'readiness+@3', 'readiness+@4'],
    ]);
  });

  it('that takes longer than its timeout has failed', async () => {
    const never = new Promise<boolean>(() => undefined);
    const [container] = makePod({ containers: [{ name: 'main', livenessProbe: { ...look, timeoutSeconds: 2 } }] }).spec
      .containers;
    if (container === undefined) throw new Error('no container');
    const verdicts: boolean[] = [];
    const prober = new Prober({
      ...{ container, fact: makeFact({}), started: false, now: Date.now },
      check: (_, signal) =>
        Promise.race([
          never,
          new Promise<boolean>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cut')))),
        ]),
      verdict: (_, verdict) => void verdicts.push(verdict),
    });
    await jest.advanceTimersByTimeAsync(21_999);
    expect(verdicts).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(verdicts).toEqual([false]);
    await prober.stop();
  });

  it('that says nothing counts neither way', async () => {
    const fast = { periodSeconds: 1, failureThreshold: 2 };
    const { verdicts } = await probe(named('liveness', fast), (_, at) => (at === 1 ? undefined : false), 5);
    expect(verdicts).toEqual(['liveness-@2']);
  });
});

describe('a startup probe', () => {
  const probes = {
    ...named('startup', { periodSeconds: 1, failureThreshold: 5 }),
    ...named('liveness', { periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 }),
  };

  it('gates the others, and is not asked again', async () => {
    const { looks } = await probe(probes, (kind, at) => kind !== 'startup' || at >= 3, 5);
    expect(looks.filter((one) => one.startsWith('startup'))).toEqual([
      'startup@0',
      'startup@1',
      'startup@2',
      'startup@3',
    ]);
    expect(looks.filter((one) => one.startsWith('liveness'))).toEqual(['liveness@3', 'liveness@4', 'liveness@5']);
  });

  it('that fails for good is not asked again either', async () => {
    const { looks, verdicts } = await probe(probes, () => false, 20);
    expect(looks).toHaveLength(5);
    expect(verdicts).toEqual(['startup-@4']);
  });

  it('that has succeeded in an earlier life of the sidecar is over', async () => {
    const { looks } = await probe(probes, () => true, 1, true);
    expect(looks).toEqual(['liveness@1']);
  });
});
