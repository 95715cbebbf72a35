import type { UpdateRequest } from '@interlink/contract';
import type { Job } from './job.ts';
import { MemoryBackend } from './testing/memory-backend.ts';
import { call, owner, ref, request, SidecarRuns } from './testing/sidecar-runs.ts';

let runs: SidecarRuns;
beforeEach(() => (runs = new SidecarRuns()));
afterEach(() => runs.end());

class UpdatableBackend extends MemoryBackend {
  readonly updates: Job[] = [];
  failure: Error | undefined;

  update(job: Job): Promise<void> {
    this.updates.push(job);
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
}

const configMap = (name: string, value: string) => ({ metadata: { name }, data: { key: value } });

async function started(backend = new UpdatableBackend()) {
  const sidecar = await runs.start(backend);
  const create = request('u', {
    containers: [{ name: 'main', image: 'one', env: [{ name: 'A', value: 'resolved' }] }],
  });
  await sidecar.create(
    { ...create, container: [{ name: 'main', configMaps: [configMap('a', '1'), configMap('b', '1')] }] },
    call(),
  );
  return { sidecar, backend };
}

const update = (fields: object = {}, metadata: object = {}): UpdateRequest => ({
  pod: { metadata: { ...ref('u').metadata, ...metadata } },
  ...fields,
});
const payload = () => runs.records()[0]?.payload;

describe('an update', () => {
  it('replaces what it names and leaves the rest, in the spool before at the site', async () => {
    const { sidecar, backend } = await started();
    backend.failure = new Error('the site is away');
    const change = update(
      {
        configmaps: [configMap('b', '2')],
        projectedvolumesmaps: [configMap('volume', 'token')],
        pod: {
          metadata: { ...ref('u').metadata, labels: { a: 'b' } },
          spec: {
            containers: [{ name: 'main', image: 'two', env: [{ name: 'A', value: 'not taken' }] }],
            ephemeralContainers: [{ name: 'debug', image: 'three' }],
          },
        },
      },
      {},
    );
    await expect(sidecar.update(change, call())).rejects.toThrow('the site is away');
    expect(payload()).toMatchObject({
      configMaps: [configMap('a', '1'), configMap('b', '2')],
      secrets: [],
      projected: [configMap('volume', 'token')],
      pod: {
        metadata: { name: 'p-u', labels: { a: 'b' } },
        spec: {
          containers: [{ name: 'main', image: 'two', env: [{ name: 'A', value: 'resolved' }] }],
          ephemeralContainers: [{ name: 'debug', image: 'three' }],
        },
      },
    });
    // What failed is sent again: nothing is new, but the site has not got it yet.
    backend.failure = undefined;
    await sidecar.update(change, call());
    expect(backend.updates.map(({ payload: { configMaps } }) => configMaps[1]?.data)).toEqual([
      { key: '2' },
      { key: '2' },
    ]);
  });

  it('of nothing leaves the record alone', async () => {
    const { sidecar } = await started();
    const before = payload();
    await sidecar.update(update({ configmaps: [configMap('a', '1')], secrets: null }), call());
    expect(payload()).toEqual(before);
  });

  it.each([
    ['unknown', 'other', 'NotFound'],
    ['another owner', 'u', 'NotFound'],
    ['deleted', 'u', 'Gone'],
  ])('of a pod that is %s is refused', async (which, uid, code) => {
    const { sidecar, backend } = await started();
    if (which === 'deleted') await sidecar.delete(ref('u'), call());
    const as = which === 'another owner' ? 'cluster/other' : owner;
    const wanted = { ...update({}, { uid }) };
    await expect(sidecar.update(wanted, call(as))).rejects.toMatchObject({ code });
    expect(backend.updates).toEqual([]);
  });

  it('is no feature of a site that cannot', async () => {
    const sidecar = await runs.start(new MemoryBackend());
    await expect(sidecar.update(update(), call())).rejects.toMatchObject({ code: 'NotFound' });
    expect((await sidecar.capabilities()).features.update).toBe(false);
    const { sidecar: other } = await started();
    expect((await other.capabilities()).features.update).toBe(true);
  });
});
