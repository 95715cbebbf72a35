import { makePod } from '../testing/jobs.ts';
import { limitsOf, resizeOf } from './limits.ts';

function limits(resources: object, ofPod?: object) {
  const pod = makePod({
    containers: [{ name: 'main', image: 'i', resources }],
    ...(ofPod ? { resources: ofPod } : {}),
  });
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error('no container');
  return limitsOf(pod, container);
}
const none = { Memory: 0, MemorySwap: 0, CpuQuota: 0, CpuShares: 2 };
const mib = 1024 * 1024;

it.each<[object, object | undefined, object]>([
  [{}, undefined, none],
  [{ limits: { memory: '64Mi' } }, undefined, { ...none, Memory: 64 * mib, MemorySwap: 64 * mib }],
  [{ limits: { cpu: '500m' } }, undefined, { ...none, CpuQuota: 50_000, CpuShares: 512 }],
  [{ limits: { cpu: 2 }, requests: { cpu: '100m' } }, undefined, { ...none, CpuQuota: 200_000, CpuShares: 102 }],
  [{ limits: { cpu: '1m' } }, undefined, { ...none, CpuQuota: 1_000 }],
  [{ requests: { cpu: '1m' } }, undefined, none],
  [{ requests: { cpu: '1000' } }, undefined, { ...none, CpuShares: 262_144 }],
  // What bounds the pod bounds each container of it that has no bound of its own.
  [{}, { limits: { memory: '8Mi', cpu: '1' } }, { ...none, Memory: 8 * mib, MemorySwap: 8 * mib, CpuQuota: 100_000 }],
  [{ limits: { memory: '6Mi' } }, { limits: { memory: '8Mi' } }, { ...none, Memory: 6 * mib, MemorySwap: 6 * mib }],
])('container %j in a pod with %j', (resources, ofPod, expected) => {
  expect(limits(resources, ofPod)).toEqual(expected);
});

it('a resize tells the engine all limits, and only when one has changed', () => {
  const before = limits({ limits: { memory: '64Mi' } });
  const after = limits({ limits: { memory: '65Mi' } });
  expect(resizeOf(before, before)).toBeUndefined();
  expect(resizeOf(before, after)).toEqual(after);
});
