import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './command.ts';
import type { ManagedProcess } from './process.ts';
import { TestbedError } from './testbed-error.ts';

export interface WaitOptions {
  timeoutMs: number;
  /** Between two probes. Default 50 ms: what is waited for is on this machine. */
  intervalMs?: number;
  /** The wait fails as soon as this ends, with the end of its log. */
  process?: Pick<ManagedProcess, 'name' | 'logFile' | 'exited'>;
}

/**
 * Asks until the probe answers something else than undefined or false, and returns that. A probe that fails means "not
 * yet"; its last error is the cause of the time-out. The signal given to the probe ends with the wait.
 */
export async function waitFor<T>(
  what: string,
  probe: (signal: AbortSignal) => Promise<T | undefined | false>,
  { timeoutMs, intervalMs = 50, process }: WaitOptions,
): Promise<T> {
  const wait = new AbortController();
  let end: 'late' | 'died' | undefined;
  const deadline = sleep(timeoutMs, undefined, { signal: wait.signal }).then(
    () => void (end ??= 'late'),
    () => undefined,
  );
  const death = process?.exited.then(() => void (end ??= 'died'));
  const over = Promise.race(death ? [deadline, death] : [deadline]);
  let cause: unknown;
  const attempt = async (): Promise<{ value: T } | undefined> => {
    try {
      const value = await probe(wait.signal);
      return value === undefined || value === false ? undefined : { value };
    } catch (error) {
      cause = error;
      return undefined;
    }
  };
  try {
    for (;;) {
      const answer = await Promise.race([over, attempt()]);
      if (answer !== undefined) return answer.value;
      if (end === 'late') throw await lateness(what, timeoutMs, process, cause);
      if (end === 'died') throw await deathOf(what, process);
      await Promise.race([over, sleep(intervalMs)]);
    }
  } finally {
    wait.abort();
  }
}

async function lateness(what: string, timeoutMs: number, process: WaitOptions['process'], cause: unknown) {
  const tail = process ? `\n${await logTail(process)}` : '';
  return new TestbedError(`${what}: not there after ${timeoutMs / 1000} s${tail}`, { cause });
}

async function deathOf(what: string, process: WaitOptions['process']): Promise<TestbedError> {
  if (process === undefined) return new TestbedError(`${what}: ended`);
  const { code, signal } = await process.exited;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return new TestbedError(`${what}: ${process.name} ended ${how}\n${await logTail(process)}`);
}

async function logTail({ logFile }: { logFile: string }): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return `${logFile}:\n${lastLines(text)}`;
}
