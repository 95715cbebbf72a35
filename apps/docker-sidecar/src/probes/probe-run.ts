import type { Probe } from './settings.ts';

/** How often in a row a probe has said the same. */
export interface ProbeRun {
  readonly last: boolean | undefined;
  readonly count: number;
}

export const freshRun: ProbeRun = { last: undefined, count: 0 };

/** Pure: one more result. `verdict` is what now holds, undefined where the threshold has not been reached. */
export function countResult(
  run: ProbeRun,
  succeeded: boolean,
  { successThreshold, failureThreshold }: Pick<Probe, 'successThreshold' | 'failureThreshold'>,
): { run: ProbeRun; verdict: boolean | undefined } {
  const count = run.last === succeeded ? run.count + 1 : 1;
  const verdict = count >= (succeeded ? successThreshold : failureThreshold) ? succeeded : undefined;
  return { run: { last: succeeded, count }, verdict };
}

/** When a container that started at `startedAt` is probed for the first time, gated until `openSince`; all ms. */
export function firstProbeAt(
  startedAt: number,
  openSince: number,
  { initialDelaySeconds }: Pick<Probe, 'initialDelaySeconds'>,
): number {
  return Math.max(startedAt + initialDelaySeconds * 1000, openSince);
}

/** The next tick of the period that is not over yet. */
export function nextProbeAt(previous: number, now: number, { periodSeconds }: Pick<Probe, 'periodSeconds'>): number {
  const period = periodSeconds * 1000;
  return previous + Math.max(1, Math.ceil((now - previous) / period)) * period;
}
