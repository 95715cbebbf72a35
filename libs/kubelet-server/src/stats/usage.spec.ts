import type { SiteStats } from '@interlink/contract';
import { nodeUsage, type UsageHistory } from './usage.ts';

const second = 1e9;
type Containers = SiteStats['pods'][number]['containers'];

function stats(at: number, pods: Record<string, Containers>): SiteStats {
  return {
    time: new Date(at * 1000).toISOString(),
    pods: Object.entries(pods).map(([uid, containers]) => ({ uid, namespace: 'ns', name: `name-${uid}`, containers })),
  };
}

const container = (name: string, cpu: number, memory = 100) => ({
  name,
  cpuUsageCoreNanoSeconds: cpu * second,
  memoryUsageBytes: memory,
  memoryWorkingSetBytes: memory - 10,
  memoryRssBytes: memory - 20,
});
const own = (seconds: number) => ({ cpuNanoSeconds: seconds * second, rssBytes: 1000 });

function look(history: UsageHistory | undefined, at: number, pods: Record<string, Containers>, ownSeconds: number) {
  return nodeUsage(stats(at, pods), own(ownSeconds), history);
}

it('sums containers to pods, and pods and kubelet to the node', () => {
  const { usage } = look(undefined, 10, { a: [container('x', 1), container('y', 2, 50)], b: [container('x', 4)] }, 3);
  expect(usage.time).toBe(10_000);
  expect(usage.pods[0]?.total).toEqual({
    cpuNanoSeconds: 3 * second,
    memoryBytes: 150,
    workingSetBytes: 130,
    rssBytes: 110,
  });
  expect(usage.total).toEqual({
    cpuNanoSeconds: 10 * second,
    memoryBytes: 1250,
    workingSetBytes: 1220,
    rssBytes: 1190,
  });
});

it('gives rates from the second look on', () => {
  const first = look(undefined, 10, { a: [container('x', 1)] }, 0);
  expect(first.usage.pods[0]?.containers[0]?.cpuNanoCores).toBeUndefined();
  const { usage } = look(first.history, 20, { a: [container('x', 6)] }, 1);
  expect(usage.pods[0]?.containers[0]?.cpuNanoCores).toBe(0.5 * second);
  expect(usage.total.cpuNanoCores).toBe(0.6 * second);
});

it.each<[string, Record<string, Containers>, number]>([
  ['stays when a pod leaves', {}, 5],
  ['grows by all of a pod that came', { a: [container('x', 5)], b: [container('x', 2)] }, 7],
  ['grows by all of a container that was started anew', { a: [container('x', 1)] }, 6],
])('the counter of the node %s', (_what, pods, seconds) => {
  const first = look(undefined, 10, { a: [container('x', 5)] }, 0);
  expect(look(first.history, 20, pods, 0).usage.total.cpuNanoSeconds).toBe(seconds * second);
});

it('does without what the site does not know', () => {
  const { usage } = look(undefined, 10, { a: [{ name: 'x' }, { name: 'y', memoryUsageBytes: 5 }], b: [] }, 1);
  expect(usage.pods.map(({ total }) => total)).toEqual([{ memoryBytes: 5, workingSetBytes: 5 }, {}]);
  expect(usage.total.workingSetBytes).toBe(1005);
});
