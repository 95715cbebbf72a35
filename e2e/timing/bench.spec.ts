import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrFail } from '@interlink/testbed';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../tools/src/bench/main.ts', import.meta.url));
const reportSchema = z.looseObject({
  figures: z.array(z.object({ group: z.string(), name: z.string(), value: z.number().nullable() })),
});

describe('a small run of the bench', () => {
  let dir: string;
  let figures: z.infer<typeof reportSchema>['figures'];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlink-bench-spec-'));
    const report = join(dir, 'report.json');
    const argv = [process.execPath, program, '--pods', '100', '--backend', 'stub', '--idle', '5', '--json', report];
    await runOrFail(argv, { timeoutMs: 170_000, env: { ...process.env, NODE_OPTIONS: '' } });
    figures = reportSchema.parse(JSON.parse(await readFile(report, 'utf8'))).figures;
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const valueOf = (group: string, name: string) =>
    figures.find((figure) => figure.group.startsWith(group) && figure.name === name)?.value ?? NaN;

  it('has a pod running in well under a second, and a batch in less than three times the bare client', () => {
    expect(valueOf('one pod', 'p50')).toBeLessThan(200);
    expect(figures.find(({ name }) => name === 'all Running, ratio to the bare client')?.value).toBeLessThan(3);
  });

  it.each(['vk-node to kube-apiserver, a pod deleted', 'vk-node to kube-apiserver, a pod up to its own end'])(
    'shows what is written: %s',
    (group) => {
      const patches = valueOf(group, 'PATCH pods') + valueOf(group, 'PATCH pods/status');
      expect(patches).toBeGreaterThanOrEqual(2);
      expect(patches).toBeLessThanOrEqual(3);
      expect(valueOf(group, 'POST events')).toBe(1);
    },
  );

  it('sends nothing to the site while all pods idle', () => {
    for (const hop of ['vk-node to interlink-api', 'interlink-api to sidecar']) {
      expect(valueOf('requests while all pods idle', hop)).toBeLessThan(0.3);
    }
  });
});
