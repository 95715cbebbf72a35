import type { Job } from '@interlink/sidecar-kit';
import { makeJob, makePod } from '../testing/jobs.ts';
import { devicesOf, deviceNeeds, deviceSpec, formatAllocation, parseAllocation } from './allocation.ts';
import { devicesSchema } from './device-config.ts';
import { Devices } from './devices.ts';

const gpu = 'nvidia.com/gpu';
const fpga = 'xilinx.com/fpga';
const config = devicesSchema.parse({
  [gpu]: { driver: 'nvidia', count: 4 },
  [fpga]: { paths: ['/dev/fpga0', '/dev/fpga1'] },
});
const status = { name: 'pod', namespace: 'ns', UID: 'u', JID: '' };
const container = (name: string, limits: object, more: object = {}) => ({
  name,
  image: 'i',
  resources: { limits },
  ...more,
});
const job = (id: string, limits: object): Job => ({ ...makeJob({ containers: [container('main', limits)] }), id });

describe('the configuration', () => {
  it.each<[string, object]>([
    ['a name without a domain', { gpu: { paths: ['/dev/x'] } }],
    ['no devices', { [fpga]: { paths: [] } }],
    ['a relative path', { [fpga]: { paths: ['dev/x'] } }],
    ['neither count nor ids', { [gpu]: { driver: 'nvidia' } }],
    ['count and ids', { [gpu]: { driver: 'nvidia', count: 1, ids: ['a'] } }],
  ])('refuses %s', (_, devices) => expect(devicesSchema.safeParse(devices).success).toBe(false));
});

describe('allocation', () => {
  it('gives each device to one job at most, the same ones when asked again, and any again once released', () => {
    const devices = new Devices(config);
    const [one, two, three] = [job('1', { [fpga]: 1 }), job('2', { [fpga]: '1' }), job('3', { [fpga]: 1 })];
    expect(devices.allocate(one)).toEqual({ [fpga]: ['/dev/fpga0'] });
    expect(devices.allocate(two)).toEqual({ [fpga]: ['/dev/fpga1'] });
    expect(devices.allocate(one)).toEqual({ [fpga]: ['/dev/fpga0'] });
    expect(() => devices.allocate(three)).toThrow(
      `requested number of devices unavailable for ${fpga}. Requested: 1, Available: 0`,
    );
    devices.release('1');
    expect(devices.allocate(three)).toEqual({ [fpga]: ['/dev/fpga0'] });
  });

  it('respects what was found at the engine, but not what a pod that is over had', () => {
    const devices = new Devices(config);
    const label = (ids: string[]) => formatAllocation({ [gpu]: ids });
    const over = { ...job('over', {}), lastStatus: { ...status, phase: 'Succeeded' as const } };
    const stopped = { ...job('stopped', {}), lastStatus: { ...status, phase: 'Running' as const } };
    devices.recover(
      [
        { job: 'running', devices: label(['0']), state: 'running' },
        { job: 'stopped', devices: label(['2']), state: 'exited' },
        { job: 'over', devices: label(['3']), state: 'exited' },
        { job: 'none', devices: '', state: 'running' },
      ],
      [over, stopped],
    );
    expect(devices.allocate(job('1', { [gpu]: 2 }))).toEqual({ [gpu]: ['1', '3'] });
    expect(parseAllocation('{"x":1}')).toEqual({});
  });

  it('takes nothing of one resource when another is short', () => {
    const devices = new Devices(config);
    devices.allocate(job('1', { [fpga]: 2 }));
    expect(() => devices.allocate(job('2', { [gpu]: 4, [fpga]: 1 }))).toThrow(fpga);
    expect(devices.allocate(job('3', { [gpu]: 4 }))).toEqual({ [gpu]: ['0', '1', '2', '3'] });
    expect(devices.totals()).toEqual({ [gpu]: 4, [fpga]: 2 });
  });
});

it('is offered to the node', () => {
  expect(new Devices(config).offered()).toEqual([
    { resourceType: gpu, available: '4' },
    { resourceType: fpga, available: '2' },
  ]);
});

describe('containers of one pod', () => {
  const pod = makePod({
    initContainers: [
      container('early', { [gpu]: 3 }),
      container('sidecar', { [gpu]: 1 }, { restartPolicy: 'Always' }),
      container('late', { [gpu]: 2 }),
    ],
    containers: [container('one', { [gpu]: 1 }), container('none', {}), container('two', { [gpu]: 1 })],
  });
  const allocation = { [gpu]: ['a', 'b', 'c'] };

  it('that run side by side share none; an init container borrows', () => {
    expect(deviceNeeds(pod, config)).toEqual({ [gpu]: 3 });
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const given = all.map((one) => [one.name, devicesOf(pod, one, allocation)[gpu] ?? []]);
    expect(Object.fromEntries(given)).toEqual({
      early: ['a', 'b', 'c'],
      sidecar: ['a'],
      late: ['b', 'c'],
      one: ['b'],
      none: [],
      two: ['c'],
    });
  });

  it('the engine is asked for nodes, or for devices of a driver', () => {
    expect(deviceSpec({}, config)).toEqual({});
    expect(deviceSpec({ [gpu]: ['1'], [fpga]: ['/dev/fpga0'] }, config)).toEqual({
      Devices: [{ PathOnHost: '/dev/fpga0', PathInContainer: '/dev/fpga0', CgroupPermissions: 'rwm' }],
      DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: ['1'], Capabilities: [['gpu']] }],
    });
  });
});
