import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runFeatures, selectRows, type FeatureResult } from '@interlink/conformance';
import { runOrFail, startControlPlane, step, TestbedError } from '@interlink/testbed';
import { format, resolveConfig } from 'prettier';
import { replaceBetweenMarkers } from '../conformance-table/table.ts';
import { startDockerSite } from './docker-site.ts';
import { counts, featuresSchema, formatFeatures, type Features } from './table.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = join(root, 'README.md');
const kept = join(root, 'libs', 'conformance', 'features.json');
const help = `npm run features -- --backend docker [--only ROW,GROUP...] [--dry-run]

Runs the rows of the feature table through the whole chain (kube-apiserver, vk-node, interlink-api, sidecar) on a real
backend, and writes the backend's column: libs/conformance/features.json, and the table in README.md.

  --only     these rows or groups; implies --dry-run
  --dry-run  write nothing`;

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    only: { type: 'string' },
    'dry-run': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(help);
else if (values.backend !== 'docker') {
  console.error(`--backend ${values.backend ?? ''}: must be docker\n\n${help}`);
  process.exitCode = 2;
} else process.exit(await features(values.backend, values.only?.split(',')));

async function features(backend: string, only: string[] | undefined): Promise<number> {
  if (only !== undefined && selectRows(only).length === 0) {
    console.error(`--only ${only.join()}: there are no such rows`);
    return 2;
  }
  const stops: (() => Promise<unknown>)[] = [];
  const interrupt = new AbortController();
  void Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => interrupt.abort());
  try {
    const commit = (await runOrFail(['git', '-C', root, 'describe', '--always', '--exclude=*', '--dirty'])).trim();
    const date = new Date().toISOString();
    const rows = await run(only, stops, interrupt.signal);
    console.log(counts(rows));
    if (only === undefined && !values['dry-run']) await write(backend, { commit, date, rows });
    return rows.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    console.error(`features: ${error.message}`);
    return 1;
  } finally {
    await step('stopping everything', async () => {
      for (const stop of stops.reverse()) await stop();
    });
  }
}

async function run(
  only: string[] | undefined,
  stops: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<FeatureResult[]> {
  const dir = await mkdtemp(join(tmpdir(), 'interlink-features-'));
  stops.push(() => rm(dir, { recursive: true, force: true }));
  const cluster = await step('starting a Kubernetes control plane', () =>
    startControlPlane({ dir: join(dir, 'cluster'), name: 'features' }),
  );
  stops.push(() => cluster.stop());
  const target = await startDockerSite(cluster, dir, stops);
  return runFeatures({
    target,
    signal,
    ...(only === undefined ? {} : { only }),
    onRow: ({ id, outcome, ms, title, reason }) => {
      console.log(`${outcome.padEnd(7)}  ${id.padEnd(32)} ${String(ms).padStart(6)} ms  ${title}`);
      if (reason !== undefined) console.log(`         ${reason}`);
    },
  });
}

async function write(backend: string, column: Features[string]): Promise<void> {
  const before = featuresSchema.parse(JSON.parse(await readFile(kept, 'utf8')));
  const after: Features = { ...before, [backend]: column };
  await writeFile(kept, `${JSON.stringify(after, null, 2)}\n`);
  const text = replaceBetweenMarkers(await readFile(readme, 'utf8'), formatFeatures(after), 'features');
  if (text === undefined)
    throw new TestbedError(`${readme} has no markers <!-- features:start --> and <!-- features:end -->`);
  await writeFile(readme, await format(text, { ...(await resolveConfig(readme)), filepath: readme }));
}
