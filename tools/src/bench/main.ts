import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { step } from '@interlink/testbed';
import { rawNodeName, startBenchWorld } from './bench-world.ts';
import type { Measured } from './figure.ts';
import { measure } from './figures.ts';
import { HelperProcess } from './helper-process.ts';
import { help, parseOptions, type BenchOptions } from './options.ts';
import { renderPlot } from './plot.ts';
import { kubernetesVersion, lookAround, makeReport, readReport, writeReport } from './report.ts';
import { countRequests, lookAtProcesses } from './snapshots.ts';
import { runStages, stageTimeoutMs } from './stages.ts';
import { renderTable } from './table.ts';

/** Requests of the driver and of the bare client. */
const concurrency = 32;
const stagesOfRun = 8;
const startAndStopMs = 300_000;

// Not exitCode: what an interrupted run is still waiting for must not go on without an end.
process.exit(await main());

async function main(): Promise<number> {
  let options: BenchOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`bench: ${messageOf(error)}\n\n${help}`);
    return 2;
  }
  if (options === 'help') {
    console.log(help);
    return 0;
  }
  try {
    await bench(options);
    return 0;
  } catch (error) {
    console.error(`bench: ${messageOf(error)}`);
    return 1;
  }
}

async function bench(options: BenchOptions): Promise<void> {
  // Before anything costly: a wrong file name should not waste a run.
  const earlier = options.compare === undefined ? undefined : await readReport(options.compare);
  const background = await lookAround();
  const measured: Measured[] = [];
  let kubernetes = 'unknown';
  for (let run = 1; run <= options.runs; run++) {
    if (options.runs > 1) process.stderr.write(`\nrun ${run} of ${options.runs}\n`);
    const result = await oneRun(options);
    kubernetes = result.kubernetes;
    measured.push(result.measured);
  }
  const report = makeReport(background, kubernetes, options, measured);
  console.log(`\n${renderTable(report, earlier)}`);
  if (options.json !== undefined) await writeReport(options.json, report);
  if (options.svg !== undefined) await writeFile(options.svg, renderPlot(report));
}

/** On a world of its own, which is gone afterwards, however this ends. */
async function oneRun(options: BenchOptions): Promise<{ kubernetes: string; measured: Measured }> {
  const dir = await mkdtemp(join(tmpdir(), 'interlink-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  const over = new AbortController();
  const interrupted = Promise.race([
    once(process, 'SIGINT', { signal: over.signal }),
    once(process, 'SIGTERM', { signal: over.signal }),
  ]).then(() => Promise.reject(new Error('interrupted')));
  const limitMs = startAndStopMs + options.idleSeconds * 1000 + stagesOfRun * stageTimeoutMs(options);
  const late = sleep(limitMs, undefined, { signal: over.signal }).then(() =>
    Promise.reject(new Error(`not done after ${limitMs / 1000} s`)),
  );
  try {
    return await Promise.race([measureIn(options, dir, stops), interrupted, late]);
  } finally {
    over.abort();
    await Promise.allSettled([interrupted, late]);
    await step('stopping everything', async () => {
      for (const stop of stops.reverse()) await stop();
      await rm(dir, { recursive: true, force: true });
    });
  }
}

async function measureIn(
  options: BenchOptions,
  dir: string,
  stops: (() => Promise<unknown>)[],
): Promise<{ kubernetes: string; measured: Measured }> {
  const world = await startBenchWorld(options, dir, stops);
  const { cluster, chain, namespace } = world;
  const config = { kubeconfig: cluster.kubeconfig, namespace, concurrency };
  const driver = await HelperProcess.start('driver', new URL('driver.ts', import.meta.url), {
    ...config,
    nodeName: chain.nodeName,
  });
  stops.push(() => driver.stop());
  const seen = await runStages({
    options,
    world,
    driver,
    startRaw: () =>
      HelperProcess.start('bare client', new URL('raw-limit.ts', import.meta.url), {
        ...config,
        nodeName: rawNodeName,
      }),
    count: () => countRequests(chain),
    use: (helper) => lookAtProcesses(chain, helper),
  });
  return { kubernetes: await kubernetesVersion(cluster), measured: measure(seen, options) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
