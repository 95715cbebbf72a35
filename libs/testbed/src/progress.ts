const heartbeatMs = 15_000;

/**
 * Runs `work` and tells of it on standard error: the title at once, a line every 15 s while it lasts, and how long it
 * took. A failure is told and passed on.
 */
export async function step<T>(
  title: string,
  work: () => Promise<T>,
  say: (line: string) => void = sayOnStderr,
): Promise<T> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  say(`${title} ...`);
  const heartbeat = setInterval(() => say(`${title} ... ${seconds()} s so far`), heartbeatMs);
  try {
    const result = await work();
    say(`${title}: done in ${seconds()} s`);
    return result;
  } catch (error) {
    say(`${title}: failed after ${seconds()} s`);
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
