import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
describe('a new life on the same spool', () => {
  it('sends a submit again whose answer was lost, and makes no second job', async () => {
    const backend = new MemoryBackend();
    backend.afterSubmit = unavailable;
    await expect((await runs.start(backend)).create(request('u'), call())).rejects.toThrow(isCode('Unavailable'));
    await runs.stop();
    expect([...backend.site.values()].map(({ uid }) => uid)).toEqual(['u']);

    const next = new MemoryBackend(backend.site);
    const sidecar = await runs.start(next);
    await until(() => runs.records()[0]?.jobId !== '');
    expect(next.submits.map(({ id }) => id)).toEqual([...backend.site.keys()]);
    expect(await sidecar.create(request('u'), call())).toMatchObject({ PodUID: 'u' });
    expect(next.submits).toHaveLength(1);
  });

  it('forgets an intent that the site refuses for good', async () => {
    const backend = new MemoryBackend();
    backend.beforeSubmit = unavailable;
    await expect((await runs.start(backend)).create(request('u'), call())).rejects.toThrow();
    await runs.stop();
    backend.beforeSubmit = () => {
      throw new InterlinkError('Invalid', 'no');
    };
    await runs.start(backend);
    await until(() => runs.records().length === 0);
  });

  it('goes on with a delete by its old deadline', async () => {
    const backend = new MemoryBackend();
    const sidecar = await runs.start(backend);
    await sidecar.create(request('u'), call());
    backend.stop = async (_job, signal) => {
      await once(signal, 'abort');
      throw new InterlinkError('Unavailable', 'killed');
    };
    await sidecar.delete(ref('u', 60), call());
    const deadline = runs.now + 60_000;
    await runs.stop();
    expect(runs.records()[0]?.state).toBe('deleting');

    runs.now += 20_000;
    const next = new MemoryBackend(backend.site);
    const again = await runs.start(next);
    await statusIn(again, 'u', 'Failed');
    await until(() => runs.records()[0]?.state === 'deleted');
    expect(next.cancels.map((cancel) => cancel.deadline)).toEqual([deadline]);
    expect(next.site.size).toBe(0);
  });

  it('knows the running and the last words of the dead, but says so only when it has seen the site', async () => {
    const backend = new MemoryBackend();
    const first = await runs.start(backend);
    for (const uid of ['a', 'b']) await first.create(request(uid), call());
    await first.delete(ref('b'), call());
    await until(() => runs.records().some(({ state }) => state === 'deleted'));
    await runs.stop();

    const next = new MemoryBackend(backend.site);
    const observe = next.observe.bind(next);
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    next.observe = async (...args) => {
      await opened;
      return observe(...args);
    };
    const sidecar = await runs.start(next);
    await expect(sidecar.status([ref('a')], call())).rejects.toThrow(isCode('Unavailable'));
    expect(sidecar.notReady()).toMatch(/not been looked at/);
    open();
    await statusIn(sidecar, 'a', 'Running');
    expect(sidecar.notReady()).toBeUndefined();
    expect(
      (await sidecar.status([ref('a'), ref('b'), ref('unknown')], call())).map(({ UID, phase }) => [UID, phase]),
    ).toEqual([
      ['a', 'Running'],
      ['b', 'Failed'],
    ]);
  });

  it('is not blinded by one file that cannot be read', async () => {
    const backend = new MemoryBackend();
    await (await runs.start(backend)).create(request('u'), call());
    await runs.stop();
    writeFileSync(join(runs.folder, `${'0'.repeat(32)}.json`), '{');
    const sidecar = await runs.start(backend);
    await statusIn(sidecar, 'u', 'Running');
  });
});
