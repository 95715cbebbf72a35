import type { Pod } from '@interlink/contract';
import { waitFor } from '@interlink/testbed';
import {
  createPod,
  image,
  logs,
  podEnded,
  podRunning,
  podWhere,
  startWorld,
  type PodOptions,
  type World,
} from './support/world.ts';

const container = (name: string, script: string) => ({ name, image, command: ['sh', '-c', script] });
const bigLines = 200_000;

const pods: PodOptions[] = [
  { name: 'ten-lines', script: 'for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done' },
  { name: 'both-streams', script: 'echo out; sleep 0.5; echo err >&2; sleep 0.5; echo out again' },
  { name: 'no-newline', script: 'printf "no newline 🚀"' },
  { name: 'silent', script: 'true' },
  { name: 'big', script: `seq 1 ${bigLines}` },
  { name: 'early-and-late', script: 'echo early; sleep 6; echo late; sleep 600' },
  {
    name: 'several',
    script: '',
    spec: {
      initContainers: [container('init', 'echo of init')],
      containers: [container('one', 'echo of one'), container('two', 'echo of two')],
    },
  },
  // Each start has its own log; the second is on, and waits.
  {
    name: 'restarted',
    script: 'if [ -e /scratch/x ]; then echo second; sleep 600; fi; touch /scratch/x; echo first; exit 1',
    container: { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] },
    spec: { restartPolicy: 'OnFailure', volumes: [{ name: 'scratch', emptyDir: {} }] },
  },
  { name: 'no-image', script: 'true', container: { image: 'interlink-absent:1', imagePullPolicy: 'Never' } },
  {
    name: 'no-config-map',
    script: 'true',
    container: { envFrom: [{ configMapRef: { name: 'absent' } }] },
  },
];

const waiting = (reason: string) => (pod: { status?: { containerStatuses?: unknown } | null | undefined }) =>
  JSON.stringify(pod.status?.containerStatuses ?? []).includes(`"reason":"${reason}"`);

const lines = (text: string) => text.trimEnd().split('\n');

describe('kubectl logs', () => {
  let world: World;
  /** Standard error of a `kubectl logs` that fails. */
  const refusal = async (...args: string[]) => {
    const { code, stdout, stderr } = await world.cluster.kubectl(['logs', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr;
  };

  beforeAll(async () => {
    world = await startWorld('logs');
    await Promise.all(pods.map((pod) => createPod(world, pod)));
  });
  afterAll(() => world.stop());

  it('gives the whole log of an ended pod, however long, to the last byte', async () => {
    for (const name of ['ten-lines', 'both-streams', 'no-newline', 'silent', 'big']) await podEnded(world, name);
    expect(lines(await logs(world, 'ten-lines'))).toHaveLength(10);
    expect(await logs(world, 'both-streams')).toBe('out\nerr\nout again\n');
    expect(await logs(world, 'no-newline')).toBe('no newline 🚀');
    expect(await logs(world, 'silent')).toBe('');
    const big = lines(await logs(world, 'big'));
    expect(big).toHaveLength(bigLines);
    expect(big.every((line, index) => line === String(index + 1))).toBe(true);
  });

  it('--tail, --limit-bytes and both', async () => {
    await podEnded(world, 'ten-lines');
    expect(await logs(world, 'ten-lines', '--tail=2')).toBe('line 9\nline 10\n');
    expect(await logs(world, 'ten-lines', '--tail=0')).toBe('');
    expect(await logs(world, 'ten-lines', '--tail=100')).toBe(await logs(world, 'ten-lines'));
    expect(await logs(world, 'ten-lines', '--limit-bytes=10')).toBe('line 1\nlin');
    expect(await logs(world, 'ten-lines', '--tail=2', '--limit-bytes=4')).toBe('line');
    expect(await logs(world, 'ten-lines', '--limit-bytes=100000')).toBe(await logs(world, 'ten-lines'));
  });

  it('--timestamps: when each line was written', async () => {
    await podEnded(world, 'both-streams');
    const stamped = lines(await logs(world, 'both-streams', '--timestamps'));
    expect(stamped.map((line) => line.slice(line.indexOf(' ') + 1))).toEqual(['out', 'err', 'out again']);
    const times = stamped.map((line) => line.slice(0, line.indexOf(' ')));
    for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d)$/);
    const [first = 0, second = 0, third = 0] = times.map((time) => Date.parse(time));
    expect(second - first).toBeGreaterThan(400);
    expect(third - second).toBeGreaterThan(400);
  });

  it('--since and --since-time: only what is newer', async () => {
    const written = async () => (await logs(world, 'early-and-late')) === 'early\nlate\n';
    await waitFor('the late line', written, { timeoutMs: 20_000 });
    const [stamp = ''] = (await logs(world, 'early-and-late', '--timestamps')).split(' ');
    const age = Math.floor((Date.now() - Date.parse(stamp)) / 1000);
    expect(await logs(world, 'early-and-late', `--since=${age - 2}s`)).toBe('late\n');
    expect(await logs(world, 'early-and-late', '--since=1h')).toBe('early\nlate\n');
    const after = (ms: number) => `--since-time=${new Date(Date.parse(stamp) + ms).toISOString()}`;
    expect(await logs(world, 'early-and-late', after(-1_000))).toBe('early\nlate\n');
    expect(await logs(world, 'early-and-late', after(1_000))).toBe('late\n');
    expect(await logs(world, 'early-and-late', after(60_000))).toBe('');
  });

  it('-c: the log of one container, init containers too', async () => {
    await podEnded(world, 'several');
    expect(await logs(world, 'several')).toBe('of one\n');
    expect(await logs(world, 'several', '-c', 'two')).toBe('of two\n');
    expect(await logs(world, 'several', '-c', 'init')).toBe('of init\n');
    const all = lines(await logs(world, 'several', '--all-containers', '--prefix'));
    expect(all).toHaveLength(3);
  });

  it('-f: from the start, as it is written, until the container ends', async () => {
    await createPod(world, { name: 'for-a-while', script: 'for i in 1 2 3 4 5 6; do echo tick $i; sleep 0.5; done' });
    await podRunning(world, 'for-a-while');
    const text = await logs(world, 'for-a-while', '-f');
    const returned = Date.now();
    expect(lines(text)).toEqual([1, 2, 3, 4, 5, 6].map((tick) => `tick ${tick}`));
    const pod = await podEnded(world, 'for-a-while', 5_000);
    const finished = Date.parse(pod.status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? '');
    expect(returned - finished).toBeLessThan(3_000);
    // Of what has ended, it ends at once.
    expect(await logs(world, 'for-a-while', '-f', '--tail=1')).toBe('tick 6\n');
  });

  it('--previous: the log of the start before, and a clear word when there was none', async () => {
    const second = (pod: Pod) => {
      const status = pod.status?.containerStatuses?.[0];
      return status?.restartCount === 1 && Boolean(status.state?.running);
    };
    await podWhere(world, 'restarted', 'to run again', second);
    await waitFor('the second line', async () => (await logs(world, 'restarted')) === 'second\n', { timeoutMs: 5_000 });
    expect(await logs(world, 'restarted', '--previous')).toBe('first\n');
    expect(await refusal('ten-lines', '--previous')).toContain('container "main" in pod "ten-lines"');
    expect(await refusal('ten-lines', '--previous')).toContain('has not been restarted');
  });

  it('a container that waits: the message says so and why, whether or not the site knows the pod yet', async () => {
    await podWhere(world, 'no-image', 'to wait for its image', waiting('ErrImageNeverPull'));
    expect(await refusal('no-image')).toContain(
      'container "main" in pod "no-image" is waiting to start: ErrImageNeverPull',
    );
    await podWhere(world, 'no-config-map', 'to wait for its ConfigMap', waiting('CreateContainerConfigError'));
    expect(await refusal('no-config-map')).toContain(
      'container "main" in pod "no-config-map" is waiting to start: CreateContainerConfigError',
    );
  });

  it('a reader that leaves does no harm', async () => {
    const readers = Array.from({ length: 5 }, () =>
      world.cluster.kubectl(['logs', '-f', 'early-and-late'], { timeoutMs: 1_500 }),
    );
    expect((await Promise.allSettled(readers)).map(({ status }) => status)).toEqual(readers.map(() => 'rejected'));
    expect(await logs(world, 'early-and-late')).toBe('early\nlate\n');
  });
});
