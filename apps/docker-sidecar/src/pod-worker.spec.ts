import { InterlinkError, logRequestSchema } from '@interlink/contract';
import { DockerSite } from './testing/docker-site.ts';
import { makeJob } from './testing/jobs.ts';

let site = new DockerSite();
beforeEach(() => (site = new DockerSite()));
afterEach(() => site.end());
const never = new AbortController().signal;

describe('restarts', () => {
  it.each([
    ['slow', 'fast'],
    ['fast', 'slow'],
  ])('come when they are due, whoever is first (%s)', async (...names) => {
    const { backend } = await site.start();
    const containers = names.map((name) => ({ name, image: 'busybox:1' }));
    await site.submit(backend, makeJob({ containers }));
    const crash = async (name: string) => {
      site.engine.exit(name, 1);
      await site.pass(0);
    };
    await crash('slow-0');
    await crash('slow-1');
    await site.pass(10);
    await crash('slow-2');
    await crash('fast-0');
    await crash('fast-1');
    // slow waits for 20 s, fast for 10 s.
    expect(site.engine.names()).not.toContain('fast-2');
    await site.pass(10);
    expect(site.engine.names()).toContain('fast-2');
    expect(site.engine.names()).not.toContain('slow-3');
    await site.pass(10);
    expect(site.engine.names()).toContain('slow-3');
  });

  it('keep the attempt before, for its log, and no older one', async () => {
    const { backend } = await site.start();
    const job = makeJob();
    await site.submit(backend, job);
    for (const name of ['main-0', 'main-1', 'main-2']) {
      site.engine.exit(name, 1);
      await site.pass(40);
    }
    expect(site.engine.names()).toEqual(['', 'main-2', 'main-3']);
    const logs = async (Previous: boolean) => {
      const request = { Namespace: 'ns', PodUID: 'u', PodName: 'pod', ContainerName: 'main', Opts: { Previous } };
      return String(Buffer.concat(await (await backend.logs(job, logRequestSchema.parse(request), never)).toArray()));
    };
    expect([await logs(false), await logs(true)]).toEqual(['log of main-3', 'log of main-2']);
  });
});

describe('an image that cannot be pulled', () => {
  it.each(['main', 'init'])('(%s) shows the error, then the back-off, and is tried again', async (which) => {
    const { backend } = await site.start();
    site.engine.failures.set('pull r.example/no:1', new InterlinkError('NotFound', 'manifest unknown'));
    const broken = { name: 'x', image: 'r.example/no:1' };
    await site.submit(backend, makeJob(which === 'main' ? { containers: [broken] } : { initContainers: [broken] }));
    const waiting = () => {
      const { containers, initContainers } = site.statuses.at(-1) ?? {};
      return (which === 'main' ? containers : initContainers)?.[0]?.state?.waiting;
    };
    expect(waiting()).toMatchObject({ reason: 'ErrImagePull', message: expect.stringContaining('manifest unknown') });
    await site.pass(2);
    expect(waiting()).toMatchObject({
      reason: 'ImagePullBackOff',
      message: expect.stringContaining('Back-off pulling image "r.example/no:1"'),
    });
    const pulls = () => site.engine.calls.filter((call) => call.startsWith('pull')).length;
    expect(pulls()).toBe(1);
    await site.pass(8);
    expect(pulls()).toBe(2);
    await site.pass(10);
    expect(pulls()).toBe(2);
    site.engine.failures.clear();
    await site.pass(10);
    expect(site.engine.names()).toContain('x-0');
    expect(waiting()).toBeUndefined();
  });
});

describe('a container that the engine refuses', () => {
  it('to make is tried again, later and later', async () => {
    const { backend } = await site.start();
    site.engine.failures.set('create busybox:1', new InterlinkError('Invalid', 'bad mount'));
    await site.submit(backend, makeJob());
    expect(site.statuses.at(-1)?.containers?.[0]?.state?.waiting?.reason).toBe('CreateContainerError');
    const creates = () => site.engine.calls.filter((call) => call.endsWith('main-0')).length;
    const made: number[] = [];
    for (const seconds of [9, 2, 18, 3]) {
      await site.pass(seconds);
      made.push(creates());
    }
    expect(made).toEqual([1, 2, 2, 3]);
    site.engine.failures.clear();
    await site.pass(40);
    expect(site.statuses.at(-1)?.phase).toBe('Running');
  });

  it('to start is one that failed', async () => {
    const { backend } = await site.start();
    site.engine.failures.set('start busybox:1', new InterlinkError('Invalid', 'exec: "nope": not found'));
    await site.submit(backend, makeJob({ restartPolicy: 'Never' }));
    expect(site.statuses.at(-1)).toMatchObject({
      phase: 'Failed',
      containers: [{ state: { terminated: { reason: 'ContainerCannotRun', exitCode: 127 } } }],
    });
  });
});
