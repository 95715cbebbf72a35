import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runCommand, type Cluster } from '@interlink/testbed';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import type { Figure, Measured } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { median } from './statistics.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const reportSchema = z.object({
  format: z.literal('interlink-bench/1'),
  date: z.string(),
  /** With `-dirty` where files differ from it. */
  commit: z.string(),
  versions: z.object({ interlink: z.string(), node: z.string(), kubernetes: z.string() }),
  /** Load average over one minute, before anything was started. */
  machine: z.object({ cores: z.number(), memoryGiB: z.number(), loadAverage: z.number() }),
  options: z.object({
    pods: z.number(),
    backend: z.string(),
    delayMs: z.number(),
    idleSeconds: z.number(),
    runs: z.number(),
  }),
  figures: z.array(
    z.object({
      group: z.string(),
      name: z.string(),
      unit: z.string(),
      /** The median of `runs`; null: could not be measured. */
      value: z.number().nullable(),
      runs: z.array(z.number().nullable()),
    }),
  ),
  /** Of the last run. */
  curves: z.array(
    z.object({ panel: z.string(), name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) }),
  ),
});

export type Report = z.infer<typeof reportSchema>;
export type Background = Pick<Report, 'date' | 'commit' | 'machine'>;

/** What the figures must be read with; to be asked for before the load begins. */
export async function lookAround(): Promise<Background> {
  const git = async (...args: string[]) => {
    const answer = await runCommand(['git', '-C', root, ...args]).catch(() => undefined);
    return answer?.code === 0 ? answer.stdout.trim() : undefined;
  };
  const commit = (await git('rev-parse', 'HEAD')) ?? 'unknown';
  const changes = await git('status', '--porcelain');
  return {
    date: new Date().toISOString(),
    commit: changes ? `${commit}-dirty` : commit,
    machine: { cores: cpus().length, memoryGiB: round(totalmem() / 2 ** 30), loadAverage: round(loadavg()[0] ?? 0) },
  };
}

export async function kubernetesVersion(cluster: Cluster): Promise<string> {
  const { stdout } = await cluster.kubectl(['get', '--raw', '/version']);
  const parsed = z.object({ gitVersion: z.string() }).safeParse(JSON.parse(stdout || '{}'));
  return parsed.data?.gitVersion ?? 'unknown';
}

export function makeReport(
  background: Background,
  kubernetes: string,
  { pods, backend, delayMs, idleSeconds }: BenchOptions,
  measured: readonly Measured[],
): Report {
  const keyOf = ({ group, name }: Figure) => `${group}\n${name}`;
  const named = new Map(measured.flatMap(({ figures }) => figures.map((figure) => [keyOf(figure), figure])));
  const figures = [...named].map(([key, { group, name, unit }]) => {
    // A request that a run did not make at all is not in it.
    const runs = measured.map(({ figures }) => figures.find((figure) => keyOf(figure) === key)?.value ?? 0);
    return { group, name, unit, value: finite(median(runs)), runs: runs.map(finite) };
  });
  const versions = { interlink: manifest.version, node: process.version, kubernetes };
  const options = { pods, backend, delayMs, idleSeconds, runs: measured.length };
  const curves = (measured.at(-1)?.curves ?? []).map(({ points, ...curve }) => ({
    ...curve,
    points: points.map(([seconds, count]): [number, number] => [seconds, count]),
  }));
  return { format: 'interlink-bench/1', ...background, versions, options, figures, curves };
}

/** @throws Error that names the file. */
export async function readReport(file: string): Promise<Report> {
  try {
    return reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} is not a report of this bench`, { cause });
  }
}

export async function writeReport(file: string, report: Report): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
