import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type ExitStatus, type ManagedProcess } from './process.ts';
import { TestbedError } from './testbed-error.ts';
import { waitFor } from './wait-for.ts';

/** As in the images: a young generation that grows without need is most of what a burst of pods would cost. */
const nodeFlags = ['--max-semi-space-size=4'];

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface ServiceOptions {
  /** Folder of apps/ that it is. */
  readonly app: string;
  /** Program to run instead of the app's own, e.g. that of a test's sidecar. */
  readonly main?: string;
  /** Folder of built services to take the program from: APP/main.mjs. */
  readonly programs?: string | undefined;
  /** For messages and file names; default: the app. */
  readonly name?: string;
  /** Config, logs and socket go here. Short: a socket's path has at most 107 characters. */
  readonly dir: string;
  /** The config file's content, without `listen`: the service listens on its socket in `dir`. */
  readonly config: Record<string, unknown>;
  /** Listeners beside the socket. */
  readonly listen?: readonly Record<string, unknown>[];
}

/** One of our services as a process of its own, which can be killed and started again. */
export class Service {
  readonly name: string;
  readonly socketPath: string;
  readonly logFile: string;
  readonly #o: ServiceOptions;
  readonly #listen: Record<string, unknown>[];
  #process: ManagedProcess | undefined;

  constructor(options: ServiceOptions) {
    this.#o = options;
    this.#listen = [...(options.listen ?? [])];
    this.name = options.name ?? options.app;
    this.socketPath = join(options.dir, `${this.name}.sock`);
    this.logFile = join(options.dir, `${this.name}.log`);
  }

  get endpoint(): string {
    return `unix://${this.socketPath}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** One more listener, from the next start on. */
  listenAlso(listener: Record<string, unknown>): void {
    this.#listen.push(listener);
  }

  /** Returns when it answers /healthz. `changes` replace keys of the config from now on. */
  async start(changes: Record<string, unknown> = {}): Promise<void> {
    const { dir, app, programs, config } = this.#o;
    const built = programs === undefined ? join(root, 'apps', app, 'src', 'main.ts') : join(programs, app, 'main.mjs');
    const main = this.#o.main ?? built;
    Object.assign(config, changes);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const configFile = join(dir, `${this.name}.yaml`);
    // JSON is YAML too.
    const text = JSON.stringify({ ...config, listen: [{ address: this.endpoint }, ...this.#listen] }, null, 2);
    await writeFile(configFile, text, { mode: 0o600 });
    this.#process = await startProcess({
      name: this.name,
      argv: [process.execPath, ...nodeFlags, main, '--config', configFile],
      logFile: this.logFile,
      onParentExit: 'SIGTERM',
    });
    const healthy = async () => (await this.get('/healthz')).status === 200;
    await waitFor(`${this.name} to answer`, healthy, { timeoutMs: 30_000, intervalMs: 20, process: this.#process });
  }

  async ready(timeoutMs = 30_000): Promise<void> {
    const ready = async () => (await this.get('/readyz')).status === 200;
    await waitFor(`${this.name} to be ready`, ready, {
      timeoutMs,
      intervalMs: 20,
      ...(this.#process ? { process: this.#process } : {}),
    });
  }

  async stop(): Promise<ExitStatus | undefined> {
    const status = await this.#process?.stop(25_000);
    this.#process = undefined;
    return status;
  }

  /** SIGKILL: no chance to tidy up. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  async get(path: string, timeoutMs = 10_000): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.socketPath, path, timeout: timeoutMs }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.once('timeout', () => call.destroy(new TestbedError(`${this.name} ${path}: no answer in ${timeoutMs} ms`)));
      call.once('error', reject);
      call.end();
    });
  }

  /** Requests that this service has made, by `peer route`, whatever their outcome. */
  async requestsMade(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const line of (await this.get('/metrics')).text.split('\n')) {
      const found = /^interlink_client_requests_total\{peer="([^"]*)",route="([^"]*)",.*\} (\d+)/.exec(line);
      const [, peer, route, count] = found ?? [];
      if (peer !== undefined && route !== undefined)
        counts.set(`${peer} ${route}`, (counts.get(`${peer} ${route}`) ?? 0) + Number(count));
    }
    return counts;
  }
}
