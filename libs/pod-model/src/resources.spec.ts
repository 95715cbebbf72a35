import { podSchema } from '@interlink/contract';
import { qosClass } from './qos-class.ts';
import { formatQuantity } from './quantity.ts';
import { podLimits, podRequests, type Resources } from './resources.ts';

type Amounts = Record<string, string | number>;

function podOf(spec: Record<string, unknown>) {
  return podSchema.parse({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c' }], ...spec } });
}

const one = (requests?: Amounts, limits?: Amounts, restartPolicy?: string) => ({
  name: 'x',
  resources: { requests, limits },
  restartPolicy,
});
const plain = (resources: Resources) =>
  Object.fromEntries(Object.entries(resources).map(([name, amount]) => [name, formatQuantity(amount)]));

describe('podRequests and podLimits', () => {
  it('adds containers up and takes the largest init container', () => {
    const pod = podOf({
      containers: [one({ cpu: '500m', memory: '1Gi' }, { cpu: 1 }), one({ cpu: 1 }, { 'nvidia.com/gpu': 1 })],
      initContainers: [one({ cpu: '200m', memory: '4Gi' }), one({ cpu: 1 }, { cpu: 3 })],
    });
    expect(plain(podRequests(pod))).toEqual({ cpu: '1500m', memory: '4Gi' });
    expect(plain(podLimits(pod))).toEqual({ cpu: '3', 'nvidia.com/gpu': '1' });
  });

  it('adds a native sidecar to the containers and to the init containers after it', () => {
    const pod = podOf({
      containers: [one({ cpu: 1 })],
      initContainers: [one({ cpu: 3 }), one({ cpu: 2 }, undefined, 'Always'), one({ cpu: '1500m' })],
    });
    expect(plain(podRequests(pod))).toEqual({ cpu: '3500m' });
  });

  it('adds the overhead, to limits only where there is one', () => {
    const pod = podOf({ containers: [one({ cpu: 1 }, { cpu: 2 })], overhead: { cpu: '100m', memory: '64Mi' } });
    expect(plain(podRequests(pod))).toEqual({ cpu: '1100m', memory: '64Mi' });
    expect(plain(podLimits(pod))).toEqual({ cpu: '2100m' });
  });

  it('lets pod-level resources speak for all containers', () => {
    const pod = podOf({ containers: [one({ cpu: 1, memory: '1Gi' })], resources: { requests: { cpu: 4 } } });
    expect(plain(podRequests(pod))).toEqual({ cpu: '4', memory: '1Gi' });
  });
});

describe('qosClass', () => {
  const full = { cpu: 1, memory: '1Gi' };
  it.each([
    ['BestEffort', { containers: [one()] }],
    ['BestEffort', { containers: [one({ cpu: 0, 'nvidia.com/gpu': 1 })] }],
    ['Burstable', { containers: [one({ cpu: 1 })] }],
    ['Burstable', { containers: [one(full, { ...full, cpu: 2 })] }],
    ['Burstable', { containers: [one(full, full), one()] }],
    ['Burstable', { containers: [one(full, full)], initContainers: [one({ cpu: 1 })] }],
    ['Guaranteed', { containers: [one(full, { cpu: '1000m', memory: '1024Mi' })] }],
    ['Guaranteed', { containers: [one(undefined, full)] }],
    ['Guaranteed', { containers: [one()], resources: { requests: full, limits: full } }],
  ])('is %s for %j', (expected, spec) => {
    expect(qosClass(podOf(spec))).toBe(expected);
  });
});
