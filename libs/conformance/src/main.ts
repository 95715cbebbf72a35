import { writeFile } from 'node:fs/promises';
import { help, parseArguments, UsageError, type Arguments } from './arguments.ts';
import { toJunit } from './junit.ts';
import { runSuite, TargetError } from './suite.ts';
import { formatRow, formatSummary, isSuccess } from './table.ts';

const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseArguments(args);
    if (parsed !== undefined) return await run(parsed);
    console.log(help);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof TargetError)) throw error;
    console.error(`conformance: ${error.message}${error instanceof UsageError ? ' (see --help)' : ''}`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

async function run({ suite, junit, json }: Arguments): Promise<number> {
  const result = await runSuite({ ...suite, signal: interrupted(), onRow: (row) => console.log(formatRow(row)) });
  console.log(`\n${formatSummary(result)}`);
  if (junit !== undefined) await writeFile(junit, toJunit(result));
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  return isSuccess(result) ? exitCodes.ok : exitCodes.failed;
}

/** Aborts at the first SIGINT or SIGTERM, which leaves time to tidy up; the second ends the process where it stands. */
function interrupted(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(exitCodes.failed);
      console.error(`${name}: deleting what was created`);
      stop.abort();
    });
  }
  return stop.signal;
}
