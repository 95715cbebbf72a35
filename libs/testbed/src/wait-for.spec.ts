import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the first answer that is not undefined or false', async () => {
    const answers = [undefined, false, 0, 1];
    expect(await waitFor('it', async () => answers.shift(), { timeoutMs: 5000, intervalMs: 1 })).toBe(0);
  });

  it('names what was waited for and keeps the last failure', async () => {
    const cause = new Error('refused');
    const wait = waitFor('the port', () => Promise.reject(cause), { timeoutMs: 20, intervalMs: 1 });
    const error: unknown = await wait.catch((failure: unknown) => failure);
    expect(error).toHaveProperty('message', 'the port: not there after 0.02 s');
    expect(error).toHaveProperty('cause', cause);
  });

  it('ends on time although the probe hangs, and tells the probe', async () => {
    let given: AbortSignal | undefined;
    const hang = (signal: AbortSignal) => {
      given = signal;
      return new Promise<boolean>(() => undefined);
    };
    await expect(waitFor('it', hang, { timeoutMs: 20 })).rejects.toThrow('it: not there');
    expect(given?.aborted).toBe(true);
  });

  it('fails at once with the end of the log when the process has died', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'wait-'));
    const logFile = join(dir, 'log');
    await writeFile(logFile, 'first\nport in use\n');
    const process = { name: 'etcd', logFile, exited: Promise.resolve({ code: 1, signal: null }) };
    const wait = waitFor('etcd', async () => undefined, { timeoutMs: 60_000, process });
    await expect(wait).rejects.toThrow(/etcd ended with exit code 1\n.*\nfirst\nport in use$/);
    await rm(dir, { recursive: true });
  });
});
