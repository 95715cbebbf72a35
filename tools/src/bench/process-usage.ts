import { readdir, readFile } from 'node:fs/promises';

/** Of USER_HZ, in which the kernel counts: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface Usage {
  /** User and system time of all threads since the start of the process. */
  readonly cpuSeconds: number;
  /** Largest resident set so far. */
  readonly peakBytes: number;
}

/** Of /proc/PID/stat. The command's name may hold spaces and parentheses, so fields count from the last one. */
export function parseStat(text: string): { parent: number; cpuSeconds: number } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  return { parent: parent ?? NaN, cpuSeconds: ((user ?? NaN) + (system ?? NaN)) / ticksPerSecond };
}

/** Of /proc/PID/status. NaN where the kernel does not say. */
export function parsePeak(text: string): number {
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(text) ?? [];
  return Number(kibibytes) * 1024;
}

/** Undefined once the process is gone. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    return { cpuSeconds: parseStat(stat).cpuSeconds, peakBytes: parsePeak(status) };
  } catch {
    return undefined;
  }
}

/** Our own child with this word on its command line: of the control plane's parts only their starter knows the ids. */
export async function childCalled(word: string): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const { parent } = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
      if (parent !== process.pid) continue;
      if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').includes(word)) return pid;
    } catch {
      // It ended in between.
    }
  }
  return undefined;
}
