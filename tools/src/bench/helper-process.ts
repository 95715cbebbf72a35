import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';

const replySchema = z.union([z.object({ error: z.string() }), z.object({ result: z.unknown().optional() })]);

/** A process of the bench's own that does one thing at a time when asked. It ends with us: its channel closes. */
export class HelperProcess {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** `config` is seen by anyone who lists processes: no secrets. */
  static async start(name: string, script: URL, config: object): Promise<HelperProcess> {
    const child = fork(script, [JSON.stringify(config)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'spawn');
    return new HelperProcess(name, child);
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  /** Fails with what the helper says, when it ends, and after `timeoutMs`. */
  async ask<T>(request: object, schema: z.ZodType<T>, timeoutMs: number): Promise<T> {
    if (!this.#child.connected) throw new Error(`the ${this.name} has ended`);
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(timeoutMs)]);
    const answered: Promise<unknown[]> = once(this.#child, 'message', { signal });
    const died = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the ${this.name} ended before it had answered`);
    });
    try {
      this.#child.send(request);
      const [message] = await Promise.race([answered, died]);
      const reply = replySchema.parse(message);
      if ('error' in reply) throw new Error(`${this.name}: ${reply.error}`);
      return schema.parse(reply.result);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`the ${this.name} was not done with ${JSON.stringify(request)} in ${timeoutMs / 1000} s`, {
        cause: error,
      });
    } finally {
      done.abort();
      await Promise.allSettled([answered, died]);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    this.#child.disconnect();
    await exited;
    clearTimeout(timer);
  }
}

/** The helper's side: answers each request of the parent with what `work` gives. */
export function serveParent<T>(schema: z.ZodType<T>, work: (request: T) => Promise<unknown>): void {
  process.on('message', (message) => {
    const answer = async () => {
      try {
        return { result: await work(schema.parse(message)) };
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error) };
      }
    };
    answer().then(
      (reply) => process.send?.(reply),
      () => process.exit(1),
    );
  });
  process.once('disconnect', () => process.exit(0));
}

/** The helper's config, as its starter gave it. */
export function helperConfig<T>(schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(process.argv[2] ?? ''));
}

/** ms since the epoch with fractions: comparable between the processes of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
