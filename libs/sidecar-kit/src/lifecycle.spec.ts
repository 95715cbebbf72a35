import { once } from 'node:events';
import { InterlinkError } from '@interlink/contract';
import { MemoryBackend } from './testing/memory-backend.ts';
import { call, ref, request, SidecarRuns, statusIn, until } from './testing/sidecar-runs.ts';

let runs = new SidecarRuns();
beforeEach(() => (runs = new SidecarRuns()));
afterEach(() => runs.end());

const isCode = (code: string) => expect.objectContaining({ code }) as Error;
const unavailable = () => {
  throw new InterlinkError('Unavailable', 'the site does not answer');
};
describe('create', () => {
  it('twice, at once or later, is one job', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    const replies = await Promise.all([
      sidecar.create(request('u'), call()),
      sidecar.create(request('u'), call()),
      sidecar.create(request('u', { restartPolicy: 'Never' }), call()),
    ]);
    replies.push(await sidecar.create(request('u'), call()));
    expect(new Set(replies.map(({ PodJID }) => PodJID)).size).toBe(1);
    expect(replies[0]).toEqual({ PodUID: 'u', PodJID: expect.stringMatching(/^job-[0-9a-f]{16}$/) as string });
    expect(backend.submits).toHaveLength(1);
  });

  it('is in the spool before the site hears of it', async () => {
    const backend = new MemoryBackend();
    let spooled = 0;
    backend.beforeSubmit = () => void (spooled = runs.records().length);
    await (await runs.start(backend)).create(request('u'), call());
    expect(spooled).toBe(1);
  });

  it('after a delete is Gone, even if the delete came first', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    await sidecar.delete(ref('u'), call());
    await expect(sidecar.create(request('u'), call())).rejects.toThrow(isCode('Gone'));
    await sidecar.delete(ref('never-seen'), call());
    await expect(sidecar.create(request('never-seen'), call())).rejects.toThrow(isCode('Gone'));
    await runs.stop();
    const again = await runs.start(backend);
    await expect(again.create(request('never-seen'), call())).rejects.toThrow(isCode('Gone'));
    expect(backend.submits.map(({ uid }) => uid)).toEqual(['u']);
  });

  it.each([
    ['by the check', 'check'],
    ['by the site', 'beforeSubmit'],
  ] as const)('refused %s leaves nothing, so that it can be sent again', async (_, step) => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    backend[step] = () => {
      throw new InterlinkError('Invalid', 'spec.hostNetwork', { field: 'spec.hostNetwork' });
    };
    await expect(sidecar.create(request('u'), call())).rejects.toMatchObject({ field: 'spec.hostNetwork' });
    expect(runs.records()).toEqual([]);
    backend[step] = () => undefined;
    await sidecar.create(request('u'), call());
    expect(backend.site.size).toBe(1);
  });

  it('that met a site without answer is kept, and sent again by whoever asks', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    backend.beforeSubmit = unavailable;
    await expect(sidecar.create(request('u'), call())).rejects.toThrow(isCode('Unavailable'));
    expect(runs.records()).toHaveLength(1);
    backend.beforeSubmit = () => undefined;
    expect((await sidecar.create(request('u'), call())).PodJID).toMatch(/^job-/);
  });

  it('needs a UID', async () => {
    const sidecar = await runs.start(new MemoryBackend());
    await expect(sidecar.create(request(''), call())).rejects.toMatchObject({
      code: 'Malformed',
      field: 'pod.metadata.uid',
    });
    await expect(sidecar.delete(ref(''), call())).rejects.toThrow(isCode('Malformed'));
    expect(runs.records()).toEqual([]);
  });

  it('gives the backend each object once, whichever containers mount it', async () => {
    const backend = new MemoryBackend();
    const configMap = { metadata: { name: 'cm' }, data: { k: 'v' } };
    const token = { metadata: { name: 'kube-api-access' }, data: { token: 't' } };
    const mounts = { configMaps: [configMap], projectedvolumemaps: [token], secrets: null };
    await (
      await runs.start(backend)
    ).create(
      {
        ...request('u'),
        container: [
          { name: 'init', ...mounts },
          { name: 'main', ...mounts },
        ],
        expandEnv: true,
      },
      call(),
    );
    expect(backend.submits[0]?.payload).toMatchObject({
      configMaps: [configMap],
      projected: [token],
      secrets: [],
      pullSecrets: [],
      expandEnv: true,
    });
  });
});

describe('delete', () => {
  it('stops the job, tells the last word and keeps a tombstone without the pod', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    await sidecar.delete(ref('u', 7), call());
    await until(() => runs.records()[0]?.state === 'deleted');
    expect(runs.records()).toEqual([expect.not.objectContaining({ payload: expect.anything() as object })]);
    expect(backend.cancels.map(({ deadline }) => deadline)).toEqual([runs.now + 7000]);
    expect(backend.site.size).toBe(0);
    await sidecar.delete(ref('u'), call());
    expect(backend.cancels).toHaveLength(1);
    expect(await sidecar.status([ref('u')], call())).toMatchObject([
      { UID: 'u', phase: 'Failed', containers: [{ state: { terminated: { exitCode: 143 } } }] },
    ]);
  });

  it.each([
    [{}, 30],
    [{ terminationGracePeriodSeconds: 90 }, 90],
  ])('without a grace period of its own takes that of the pod %j: %i s', async (spec, seconds) => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u', spec), call());
    await sidecar.delete(ref('u'), call());
    expect(backend.cancels[0]?.deadline).toBe(runs.now + seconds * 1000);
  });

  it('again with a shorter grace period cuts the first short; with a longer one it changes nothing', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    let cut = 0;
    backend.stop = async (_job, signal) => {
      if (backend.cancels.length === 2) return;
      await once(signal, 'abort');
      cut++;
      throw new InterlinkError('Unavailable', 'aborted');
    };
    await sidecar.delete(ref('u', 60), call());
    await sidecar.delete(ref('u', 600), call());
    expect(backend.cancels).toHaveLength(1);
    await sidecar.delete(ref('u', 5), call());
    await until(() => runs.records()[0]?.state === 'deleted');
    expect(cut).toBe(1);
    expect(backend.cancels.map(({ deadline }) => deadline - runs.now)).toEqual([60_000, 5000]);
  });

  it('of a job that was never submitted is no success', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    backend.beforeSubmit = unavailable;
    await expect(sidecar.create(request('u'), call())).rejects.toThrow();
    await sidecar.delete(ref('u'), call());
    expect(await statusIn(sidecar, 'u', 'Failed')).toMatchObject({ UID: 'u', name: 'p-u', namespace: 'ns' });
  });

  it.each(['Unavailable', 'Gone', 'Invalid'] as const)(
    'goes on until the job is gone, whatever the error: %s',
    async (code) => {
      const backend = new MemoryBackend();
      const sidecar = await runs.start(backend);
      await sidecar.create(request('u'), call());
      backend.stop = () => {
        if (backend.cancels.length < 2) throw new InterlinkError(code, 'not now');
      };
      await sidecar.delete(ref('u'), call());
      await until(() => runs.records()[0]?.state === 'deleted');
      expect(backend.site.size).toBe(0);
    },
  );
});
