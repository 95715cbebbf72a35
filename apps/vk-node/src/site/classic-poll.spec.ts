import { podSchema, podStatusSchema, type PodRef } from '@interlink/contract';
import { pollClassic } from './classic-poll.ts';

const pod = (uid: string) =>
  podSchema.parse({ metadata: { name: uid, namespace: 'a', uid }, spec: { containers: [{ name: 'main' }] } });
const answer = (uid: string, state: object) =>
  podStatusSchema.parse({ name: uid, namespace: 'a', UID: uid, containers: [{ name: 'main', state }] });

describe('pollClassic', () => {
  const signal = new AbortController().signal;

  it('asks for many pods in a request, whole, and derives the phases', async () => {
    const requests: PodRef[][] = [];
    const client = {
      status: async (pods: readonly PodRef[]) => {
        requests.push([...pods]);
        return pods.map(({ metadata }, index) =>
          answer(metadata.uid, index === 0 ? { terminated: { exitCode: 1 } } : { running: { startedAt: 'now' } }),
        );
      },
    };
    const pods = Array.from({ length: 600 }, (_, index) => pod(`uid-${index}`));
    const { statuses, missing } = await pollClassic(client, pods, { owner: 'o', signal });
    expect(requests.map(({ length }) => length)).toEqual([250, 250, 100]);
    expect(requests[0]?.[0]).toEqual(pods[0]);
    expect(missing).toEqual([]);
    expect(statuses.map(({ phase }) => phase).slice(0, 3)).toEqual(['Failed', 'Running', 'Running']);
  });

  it('takes an answer that says nothing, and none at all, for missing', async () => {
    const client = {
      status: async () => [
        answer('a', {}),
        podStatusSchema.parse({ name: 'b', namespace: 'a', UID: 'b', containers: null }),
      ],
    };
    const { statuses, missing } = await pollClassic(client, [pod('a'), pod('b'), pod('c')], { owner: 'o', signal });
    expect(statuses).toEqual([]);
    expect(missing).toEqual(['a', 'b', 'c']);
  });
});
