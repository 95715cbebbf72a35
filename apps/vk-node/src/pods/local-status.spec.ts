import { podSchema } from '@interlink/contract';
import { toKubeStatus } from '@interlink/pod-model';
import { failedStatus, lostStatus, waitingStatus } from './local-status.ts';

const now = new Date('2026-01-01T00:00:10Z');

function pod(status: object = {}) {
  return podSchema.parse({
    metadata: { name: 'p', uid: 'u' },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'a', image: 'i' },
        { name: 'b', image: 'i' },
      ],
    },
    status,
  });
}

describe('statuses that vk-node itself gives', () => {
  it('waiting: Pending, each container with the reason', () => {
    const status = toKubeStatus(pod(), waitingStatus(pod(), 'ApiUnavailable', 'why'), now);
    expect(status.phase).toBe('Pending');
    expect(status.containerStatuses.map(({ state }) => state)).toEqual([
      { waiting: { reason: 'ApiUnavailable', message: 'why' } },
      { waiting: { reason: 'ApiUnavailable', message: 'why' } },
    ]);
  });

  it('failed: the phase and why, for a pod that never ran', () => {
    const status = toKubeStatus(pod(), failedStatus(pod(), 'Unsupported', 'spec.x is not supported'), now);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Unsupported', message: 'spec.x is not supported' });
  });

  it('lost: what had ended keeps its code, what ran gets 137', () => {
    const known = pod({
      phase: 'Running',
      containerStatuses: [
        { name: 'a', state: { terminated: { exitCode: 3, reason: 'Error' } } },
        { name: 'b', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
      ],
    });
    const status = toKubeStatus(known, lostStatus(known, 'Lost', 'job 1 is not known', now), now);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Lost' });
    expect(
      status.containerStatuses.map(({ state }) => [state?.terminated?.exitCode, state?.terminated?.reason]),
    ).toEqual([
      [3, 'Error'],
      [137, 'ContainerStatusUnknown'],
    ]);
  });
});
