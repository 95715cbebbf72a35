import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import Docker from 'dockerode';
import { cacheDir } from '../cache.ts';
import { withLock } from '../lock.ts';
import { step } from '../progress.ts';
import { TestbedError } from '../testbed-error.ts';
import { installPackages, mayInstallPackages } from './apt.ts';
import { socketIn, startDockerd } from './dockerd.ts';

export interface Engine {
  readonly docker: Docker;
  readonly socketPath: string;
  /** Whether we started it; one that ran already is left alone by `stop`. */
  readonly started: boolean;
  /** Ends the engine and its containers; images stay for the next time. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  cache?: string;
  env?: NodeJS.ProcessEnv;
}

const pingTimeoutMs = 5_000;

/**
 * A Docker engine: that of $DOCKER_HOST, the machine's, the one that another run of ours has started, or else a
 * private one that is started here, with Debian's packages installed first where they are missing.
 */
export async function ensureEngine({ cache = cacheDir(), env = process.env }: EngineOptions = {}): Promise<Engine> {
  const runDir = join(existsSync('/run') ? '/run' : tmpdir(), `interlink-docker-${process.getuid?.() ?? 0}`);
  const sockets = candidates(env.DOCKER_HOST, runDir);
  const found = await findRunning(sockets);
  if (found !== undefined) return found;
  if (env.DOCKER_HOST) throw new TestbedError(`no Docker engine answers at DOCKER_HOST=${env.DOCKER_HOST}`);
  if (process.getuid?.() !== 0) {
    throw new TestbedError(
      `no Docker engine answers at ${sockets.join(' or ')}: start one, or name its socket in DOCKER_HOST=unix://PATH, ` +
        'or run this as root on Debian or Ubuntu, where it installs and starts one itself',
    );
  }
  // Two runs at once must not start two on the same folders.
  return await withLock(join(cache, 'docker.lock'), async () => {
    const other = await findRunning(sockets);
    if (other !== undefined) return other;
    if (!isOnPath('dockerd', env)) {
      if (!mayInstallPackages()) throw new TestbedError('no Docker engine is installed; install one (dockerd)');
      await installPackages(['docker.io']);
      // Where there is a systemd, the package's own engine runs from now on.
      const installed = await findRunning(sockets);
      if (installed !== undefined) return installed;
    }
    return await startPrivate(cache, runDir);
  });
}

async function startPrivate(cache: string, runDir: string): Promise<Engine> {
  const socketPath = socketIn(runDir);
  const docker = new Docker({ socketPath });
  const stop = await step('starting a private Docker engine', () =>
    startDockerd({
      dataRoot: join(cache, 'docker', 'root'),
      runDir,
      logFile: join(cache, 'docker', 'dockerd.log'),
      runcWrapper: join(cache, 'docker', 'runc-wrapper'),
      answers: () => answers(socketPath),
      docker,
    }),
  );
  return { docker, socketPath, started: true, stop };
}

function candidates(dockerHost: string | undefined, runDir: string): string[] {
  if (!dockerHost) return ['/var/run/docker.sock', socketIn(runDir)];
  const path = /^unix:\/\/(\/.+)$/.exec(dockerHost)?.[1];
  if (path === undefined) throw new TestbedError(`DOCKER_HOST=${dockerHost}: only unix:// is supported`);
  return [path];
}

async function findRunning(sockets: readonly string[]): Promise<Engine | undefined> {
  for (const socketPath of sockets) {
    if (existsSync(socketPath) && (await answers(socketPath))) {
      return { docker: new Docker({ socketPath }), socketPath, started: false, stop: () => Promise.resolve() };
    }
  }
  return undefined;
}

async function answers(socketPath: string): Promise<boolean> {
  return await new Docker({ socketPath, timeout: pingTimeoutMs }).ping().then(
    () => true,
    () => false,
  );
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}
