import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { cacheDir, ensureKubeAll } from '@interlink/testbed';
import type { World } from './world.ts';

type Process = ChildProcessByStdio<Writable, Readable, Readable>;

/** kubectl against one world, with streams that are bytes, and with variables of its own. */
export class Kubectl {
  readonly #world: Pick<World, 'cluster'>;
  readonly #env: Record<string, string>;

  constructor(world: Pick<World, 'cluster'>, env: Record<string, string> = {}) {
    this.#world = world;
    this.#env = env;
  }

  /** A process that the caller ends. */
  async start(args: readonly string[], timeoutMs = 60_000): Promise<Process> {
    const program = await ensureKubeAll(cacheDir());
    return spawn(program, ['kubectl', '--kubeconfig', this.#world.cluster.kubeconfig, ...args], {
      env: { ...process.env, ...this.#env },
      stdio: 'pipe',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
  }

  async run(
    args: readonly string[],
    { input = '', timeoutMs }: { input?: string | Buffer; timeoutMs?: number } = {},
  ): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
    const child = await this.start(args, timeoutMs);
    child.stdin.on('error', () => undefined).end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  /** Forwards to a port of a pod while `use` works with the local one. */
  async forwarding(pod: string, port: number, use: (local: number) => Promise<void>): Promise<string> {
    const child = await this.start(['port-forward', pod, `:${port}`, '--address=127.0.0.1']);
    const complaints = text(child.stderr);
    const closed = once(child, 'close');
    try {
      let said = '';
      let local: string | undefined;
      child.stdout.on('data', (piece) => (said += String(piece)));
      while (local === undefined) {
        await Promise.race([once(child.stdout, 'data'), closed]);
        [, local] = /127\.0\.0\.1:(\d+) ->/.exec(said) ?? [];
        if (child.exitCode !== null) throw new Error(`kubectl port-forward ended: ${await complaints}`);
      }
      await use(Number(local));
    } finally {
      child.kill('SIGTERM');
      await closed;
    }
    return complaints;
  }
}
