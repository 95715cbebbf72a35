import type { Result, Row } from './result.ts';

const idWidth = 26;

/** One row as it ends: outcome, id, title and time, and below it why. */
export function formatRow({ outcome, id, title, ms, reason }: Row): string {
  const line = `${outcome.padEnd(7)}  ${id.padEnd(idWidth)}  ${String(ms).padStart(6)} ms  ${title}`;
  return reason === undefined ? line : `${line}\n${' '.repeat(9)}${reason}`;
}

export function formatSummary({ passed, failed, skipped, profile, leg, leftovers }: Result): string {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped (profile ${profile}, leg ${leg})`;
  if (leftovers.length === 0) return counts;
  return [counts, `could not be deleted and may be left at the target:`, ...leftovers.map((one) => `  ${one}`)].join(
    '\n',
  );
}

/** A run that has proved nothing has not succeeded. */
export function isSuccess({ passed, failed }: Result): boolean {
  return failed === 0 && passed > 0;
}
