import { selectCases, runSuite, TargetError } from './suite.ts';
import { classicPlugin, FakeTarget, type Answering } from './testing/fake-target.ts';

let target: FakeTarget | undefined;
afterEach(async () => {
  await target?.stop();
  target = undefined;
});

async function run(answering: Answering, options: Partial<Parameters<typeof runSuite>[0]> = {}) {
  target = await FakeTarget.start(answering);
  return { target, result: await runSuite({ endpoint: target.endpoint, timeoutMs: 5000, ...options }) };
}

const outcomes = (rows: Awaited<ReturnType<typeof runSuite>>['rows']) => rows.map(({ id, outcome }) => [id, outcome]);

describe('at a classic plugin', () => {
  it('the classic rows are run, and all pass at one that keeps its promises', async () => {
    const { result, target } = await run(classicPlugin());
    expect(result).toMatchObject({ profile: 'classic', failed: 0, skipped: 0, leftovers: [] });
    expect(result.passed).toBe(selectCases('classic').length);
    expect(target.uids('/delete')).toEqual(target.uids('/create'));
  });

  it('the older dialect of a create is found out and noted', async () => {
    const plugin = classicPlugin();
    const { result } = await run((path, body) => {
      if (path !== '/create') return plugin(path, body);
      return body.startsWith('[') ? plugin(path, body.slice(1, -1)) : { status: 500, body: 'cannot unmarshal object' };
    });
    expect(result.failed).toBe(0);
    expect(result.rows.find(({ id }) => id === 'classic.create')?.reason).toContain('array');
  });

  it.each<[string, ReturnType<Answering>, RegExp]>([
    ['201', { status: 201, body: { PodUID: 'u', PodJID: '1' } }, /takes only 200/],
    ['a bare text', { body: '"1234"' }, /takes only \{"PodUID", "PodJID"\}/],
  ])('a create that is answered with %s has failed, and the row says why', async (_, answer, why) => {
    const { result } = await run(classicPlugin({ '/create': () => answer }), { only: ['classic.create'] });
    expect(outcomes(result.rows)).toEqual([['classic.create', 'failed']]);
    expect(result.rows[0]?.reason).toMatch(why);
  });

  it('what a failed row has created is deleted too', async () => {
    const { result, target } = await run(classicPlugin({ '/status': () => ({ body: [] }) }), { timeoutMs: 300 });
    expect(result.rows.find(({ id }) => id === 'classic.ended')).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('not so at the deadline'),
    });
    expect(target.uids('/create').size).toBeGreaterThan(3);
    expect(target.uids('/delete')).toEqual(target.uids('/create'));
  });
});

describe('the full profile', () => {
  it('has no row that everybody passes', async () => {
    const passedBy = async (body: unknown, status = 200) => {
      const { result, target } = await run(() => ({ status, body }), { profile: 'full', timeoutMs: 1000 });
      await target.stop();
      return result.rows.filter(({ outcome }) => outcome === 'passed').map(({ id }) => id);
    };
    const [toObjects, toLists, toErrors] = [
      await passedBy({ status: 'ok' }),
      await passedBy([]),
      await passedBy({ code: 'Malformed', message: 'no' }, 400),
    ];
    target = undefined;
    // Each of them is caught by the others: a row is worth what it refuses.
    expect(toObjects.filter((id) => toLists.includes(id) && toErrors.includes(id))).toEqual([]);
    expect(toObjects).toEqual(['ping.alive', 'delete.unknown']);
    expect(toLists).toEqual(['delete.unknown', 'malformed.aborted']);
    expect(toErrors).toEqual([]);
  });

  it('skips, with the reason, what the target says it has not got', async () => {
    const features = { events: false, expandEnv: true, update: false };
    const said = { contract: '1', server: 'spec/1', site: 's', kind: 'k', features };
    const { result } = await run((path) => (path === '/capabilities' ? { body: said } : { status: 400, body: {} }), {
      only: ['events', 'create.array'],
      leg: 'api',
    });
    expect(result).toMatchObject({ profile: 'full', passed: 0, failed: 0, server: 'spec/1' });
    expect(result.rows.map(({ reason }) => reason)).toContain('/capabilities says features.events: false');
    expect(result.rows.find(({ id }) => id === 'create.array')?.reason).toBe('only for a sidecar');
  });
});

it('a target that does not answer, or not to these credentials, cannot be tested', async () => {
  await expect(runSuite({ endpoint: 'unix:///no/such/socket' })).rejects.toThrow(TargetError);
  await expect(run(() => ({ status: 401, body: 'who are you' }))).rejects.toThrow(/401 .*credentials/);
});

it('ids are unique and begin with their section', () => {
  const all = [...selectCases('full'), ...selectCases('classic')];
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(all.filter(({ id, section }) => !id.startsWith(`${section}.`))).toEqual([]);
});
