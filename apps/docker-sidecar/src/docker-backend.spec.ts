import { logRequestSchema } from '@interlink/contract';
import { DockerSite } from './testing/docker-site.ts';
import { makeJob } from './testing/jobs.ts';

let site = new DockerSite();
beforeEach(() => (site = new DockerSite()));
afterEach(() => site.end());
const never = new AbortController().signal;

describe('a pod', () => {
  const spec = {
    restartPolicy: 'Never',
    initContainers: [{ name: 'init', image: 'busybox:1' }],
    containers: [{ name: 'main', image: 'busybox:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', emptyDir: {} }],
  };

  it('runs from its sandbox to its end', async () => {
    const { backend } = await site.start();
    await site.submit(backend, makeJob(spec));
    expect(site.engine.names()).toEqual(['', 'init-0']);
    expect([site.engine.volumes.size, site.engine.archives.length]).toEqual([1, 1]);
    site.engine.exit('init-0', 0);
    await site.pass(0);
    expect(site.engine.names()).toEqual(['', 'init-0', 'main-0']);
    expect(site.statuses.at(-1)?.phase).toBe('Running');
    site.engine.exit('main-0', 0);
    await site.pass(0);
    expect(site.statuses.at(-1)?.phase).toBe('Succeeded');
    // The sandbox is stopped, not removed: logs and exit codes stay until the delete.
    expect(site.engine.calls.at(-1)).toBe('stop  1');
  });

  it('leaves nothing when it is deleted, and reports its end on the way', async () => {
    const { backend } = await site.start();
    const job = makeJob({ ...spec, initContainers: [] });
    await site.submit(backend, job);
    site.wanted.delete(job);
    await backend.cancel(job, Date.now() + 7000, never);
    expect(site.engine.calls).toContain('stop main-0 7');
    expect(site.statuses.at(-1)).toMatchObject({
      phase: 'Failed',
      containers: [{ state: { terminated: { exitCode: 143 } } }],
    });
    await site.pass(600);
    expect([site.engine.names(), site.engine.volumes.size]).toEqual([[], 0]);
    // Called again after a crash.
    await backend.cancel(job, Date.now(), never);
  });

  it('deleted while it waits for its turn is never made', async () => {
    const { backend } = await site.start();
    const jobs = Array.from({ length: 40 }, (_, index) => ({ ...makeJob(), uid: `u-${index}`, id: `job-${index}` }));
    await Promise.all(jobs.map((job) => backend.submit(job)));
    await Promise.all(jobs.map((job) => backend.cancel(job, Date.now(), never)));
    const made = site.engine.calls.filter((call) => call.startsWith('create'));
    expect(made.length).toBeLessThan(jobs.length);
    expect(site.engine.names()).toEqual([]);
  });

  it('is not gone before the engine has nothing of it', async () => {
    const { backend } = await site.start();
    const job = makeJob(spec);
    await site.submit(backend, job);
    const remove = site.engine.removeContainer.bind(site.engine);
    let asked = 0;
    // The first two are accepted, but an earlier removal is still under way.
    site.engine.removeContainer = async (id) => (++asked > 2 ? remove(id) : undefined);
    const cancelled = backend.cancel(job, Date.now(), never);
    await site.pass(1);
    await cancelled;
    expect([site.engine.names(), site.engine.volumes.size, asked]).toEqual([[], 0, 4]);
  });

  it('submitted twice, or again by the next life of the sidecar, is one pod', async () => {
    const { backend } = await site.start();
    const job = makeJob(spec);
    await site.submit(backend, job);
    await site.submit(backend, job);
    site.stop();
    const { backend: next } = await site.start();
    await site.submit(next, job);
    site.engine.exit('init-0', 0);
    await site.pass(0);
    expect(site.engine.names()).toEqual(['', 'init-0', 'main-0']);
    expect(site.statuses.at(-1)?.phase).toBe('Running');
  });

  it('that ended while nobody looked has its true exit code', async () => {
    const { backend } = await site.start();
    await site.submit(backend, makeJob({ restartPolicy: 'Never' }));
    site.stop();
    site.engine.exit('main-0', 7);
    await site.start();
    expect(site.statuses.at(-1)).toMatchObject({
      phase: 'Failed',
      containers: [{ state: { terminated: { exitCode: 7 } } }],
    });
  });
});

describe('the site', () => {
  it('takes nothing before it has been looked at, nor after it was lost', async () => {
    const { backend, observing } = await site.start();
    site.engine.restart();
    await expect(observing).rejects.toMatchObject({ code: 'Unavailable' });
    expect(() => backend.submit(makeJob())).toThrow(expect.objectContaining({ code: 'Unavailable' }) as Error);
    await expect(backend.cancel(makeJob(), 0, never)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('offers what the engine has', async () => {
    const { backend } = await site.start();
    expect(await backend.capacity(never)).toEqual({
      status: 'ok',
      resources: { cpu: '4', memory: '8388608Ki', pods: '250' },
    });
  });

  it.each([
    [{ ContainerName: 'nope' }, /no such container/],
    [{ Opts: { Previous: true } }, /not been restarted/],
  ])('says why there is no log: %j', async (changed, why) => {
    const { backend } = await site.start();
    const job = makeJob();
    await site.submit(backend, job);
    const request = { Namespace: 'ns', PodUID: 'u', PodName: 'pod', ContainerName: 'main', ...changed };
    await expect(backend.logs(job, logRequestSchema.parse(request), never)).rejects.toThrow(why);
  });
});
