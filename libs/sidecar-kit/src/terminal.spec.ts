import type { ContainerStatus, PodStatus } from '@interlink/contract';
import { isTerminal, lastWord } from './terminal.ts';

const now = '2026-01-01T00:00:00.000Z';
const container = (state: ContainerStatus['state']): ContainerStatus => ({
  name: 'c',
  state,
  ready: true,
  started: true,
  restartCount: 2,
  image: 'i',
  imageID: 'sha256:1',
});
const ended = (exitCode: number) => container({ terminated: { exitCode, reason: 'x' } });
const running = container({ running: { startedAt: 'before' } });
const waiting = container({ waiting: { reason: 'ContainerCreating' } });
const lost = (startedAt?: string) => ({
  ...container({
    terminated: {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'the container was not there any more when the pod was deleted',
      ...(startedAt ? { startedAt } : {}),
      finishedAt: now,
    },
  }),
  ready: false,
  started: false,
});
const pod = (fields: Partial<PodStatus>): PodStatus => ({ name: 'p', namespace: 'n', UID: 'u', JID: 'j', ...fields });

describe('lastWord', () => {
  it.each<[string, ContainerStatus[], string, ContainerStatus[]]>([
    ['all ended well', [ended(0), ended(0)], 'Succeeded', [ended(0), ended(0)]],
    ['one failed', [ended(0), ended(3)], 'Failed', [ended(0), ended(3)]],
    ['one was still running', [ended(0), running], 'Failed', [ended(0), lost('before')]],
    ['none had started', [waiting], 'Failed', [lost()]],
    ['without a state', [container(undefined)], 'Failed', [lost()]],
    // A Job must not count a pod that never ran as done.
    ['nothing was ever seen', [], 'Failed', []],
  ])('%s', (_, containers, phase, expected) => {
    expect(lastWord(pod({ phase: 'Running', containers }), now)).toEqual(
      pod({ phase: phase as 'Failed', containers: expected, initContainers: [] }),
    );
  });

  it('leaves a terminal status as it is', () => {
    const done = pod({ phase: 'Succeeded', containers: [running] });
    expect(lastWord(done, now)).toBe(done);
    expect([isTerminal(done), isTerminal(pod({})), isTerminal(undefined)]).toEqual([true, false, false]);
  });

  it('counts containers that Go left out as never seen', () => {
    expect(lastWord(pod({ containers: null, initContainers: [waiting] }), now)).toMatchObject({
      phase: 'Failed',
      containers: [],
      initContainers: [lost()],
    });
  });
});
