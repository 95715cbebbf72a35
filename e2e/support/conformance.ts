import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOrFail } from '@interlink/testbed';
import { formatRow, formatSummary, runSuite, type Result, type SuiteOptions } from '@interlink/conformance';

const folder = join(tmpdir(), 'interlink-conformance');

/**
 * Runs the conformance suite at a target and prints its table. The result is kept with the commit as FOLDER/NAME.json,
 * from which `tools/src/conformance-table/main.ts` makes the table of a README.
 */
export async function proveConformance(name: string, options: SuiteOptions): Promise<Result> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`\nconformance of ${name}`);
  const result = await runSuite({ ...options, onRow: (row) => say(formatRow(row)) });
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  const commit = (await runOrFail(['git', 'describe', '--always', '--exclude=*', '--dirty'])).trim();
  await writeFile(file, `${JSON.stringify({ commit, ...result }, null, 2)}\n`);
  say(`${formatSummary(result)}\nkept in ${file}`);
  return result;
}

/** Rows that failed, with why: what a test compares with none. */
export function failures({ rows }: Result): string[] {
  return rows.filter(({ outcome }) => outcome === 'failed').map(({ id, reason }) => `${id}: ${reason ?? ''}`);
}

export function skipped({ rows }: Result): string[] {
  return rows.filter(({ outcome }) => outcome === 'skipped').map(({ id }) => id);
}
