import { DockerSite } from '../testing/docker-site.ts';
import { makeJob, makePod } from '../testing/jobs.ts';
import { overLimit, sizeLimits } from './size-limits.ts';

const mounting = (volumes: object[]) => ({
  containers: [
    {
      name: 'main',
      image: 'busybox:1',
      volumeMounts: volumes.map((_, index) => ({ name: `v${index}`, mountPath: `/v${index}` })),
    },
  ],
  volumes: volumes.map((volume, index) => ({ name: `v${index}`, ...volume })),
});

it('only emptyDirs on disk with a limit are looked at', () => {
  const volumes = [
    { emptyDir: { sizeLimit: '1Mi' } },
    { emptyDir: {} },
    { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { emptyDir: { sizeLimit: 0 } },
    { configMap: { name: 'c' } },
  ];
  expect(sizeLimits(makePod(mounting(volumes)))).toEqual([{ volume: 'v0', bytes: 1_048_576, text: '1Mi' }]);
});

it.each([
  [{}, undefined],
  [{ '/volumes/v0': 100 }, undefined],
  [{ '/volumes/v0': 101 }, 'Usage of EmptyDir volume "v0" exceeds the limit "100". '],
])('used %j: %s', (used, expected) => {
  expect(overLimit([{ volume: 'v0', bytes: 100, text: '100' }], used)).toBe(expected);
});

describe('a pod that fills its emptyDir', () => {
  let site = new DockerSite();
  beforeEach(() => (site = new DockerSite()));
  afterEach(() => site.end());

  it('is evicted, and not started again', async () => {
    const { backend } = await site.start();
    const usage = (bytes: number) => {
      site.engine.volumes.program = ([, command, path = '']) => ({
        ...{ exitCode: 0, stderr: '' },
        stdout: command === 'usage' ? JSON.stringify({ [path]: bytes }) : '',
      });
    };
    usage(1000);
    await site.submit(backend, makeJob(mounting([{ emptyDir: { sizeLimit: '1Ki' } }])));
    await site.pass(25);
    expect(site.statuses.at(-1)?.phase).toBe('Running');
    expect(site.engine.volumes.calls).toEqual(['usage /volumes/v0', 'usage /volumes/v0']);
    usage(2000);
    await site.pass(15);
    const evicted = {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "v0" exceeds the limit "1Ki". ',
    };
    expect(site.statuses.at(-1)).toMatchObject(evicted);
    await site.pass(600);
    expect(site.engine.names().filter((name) => name.startsWith('main'))).toEqual(['main-0']);
  });
});
