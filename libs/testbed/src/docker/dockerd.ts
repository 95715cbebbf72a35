import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { runCommand } from '../command.ts';
import { startProcess } from '../process.ts';
import { waitFor } from '../wait-for.ts';
import { writeRuncWrapper } from './runc-wrapper.ts';

export interface DockerdOptions {
  /** Images and containers; kept when the engine ends. */
  dataRoot: string;
  /** Sockets and pid files; short, for a socket's path may have 107 bytes. Removed when the engine ends. */
  runDir: string;
  logFile: string;
  runcWrapper: string;
  /** Says whether the engine answers. */
  answers: () => Promise<boolean>;
  docker: Docker;
}

const startTimeoutMs = 60_000;
// The engine gives its containers 15 s to end, and we have removed them before.
const stopGraceMs = 30_000;

/** The socket of the engine that lives in a run folder. */
export function socketIn(runDir: string): string {
  return join(runDir, 'docker.sock');
}

/** Starts a private engine beside any other of the machine; returns how to end it. */
export async function startDockerd(options: DockerdOptions): Promise<() => Promise<void>> {
  const { dataRoot, runDir, logFile, docker, answers } = options;
  await mkdir(dataRoot, { recursive: true });
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  await rm(logFile, { force: true });
  const pidFile = join(runDir, 'docker.pid');
  // One of an engine that was killed would stop this one if its number is in use again.
  await rm(pidFile, { force: true });
  const configFile = join(runDir, 'daemon.json');
  await writeFile(configFile, '{}\n');
  const wrapper = await writeRuncWrapper(options.runcWrapper);
  const flags = {
    host: `unix://${socketIn(runDir)}`,
    'data-root': dataRoot,
    'exec-root': join(runDir, 'exec'),
    pidfile: pidFile,
    // The machine's own may contradict these flags, which is an error.
    'config-file': configFile,
    // There need not be a systemd.
    'exec-opt': 'native.cgroupdriver=cgroupfs',
    ...(wrapper === undefined ? {} : { 'add-runtime': `runc-wrapper=${wrapper}`, 'default-runtime': 'runc-wrapper' }),
  };
  const dockerd = await startProcess({
    name: 'dockerd',
    argv: ['dockerd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
    logFile,
    // Killed, it would leave its containers running.
    onParentExit: 'SIGTERM',
  });
  const stop = async () => {
    await removeContainers(docker);
    await dockerd.stop(stopGraceMs);
    await cleanUp(options);
  };
  try {
    await waitFor('dockerd', answers, { timeoutMs: startTimeoutMs, process: dockerd });
    // Left by a run that was killed; nobody can want them, and their names may be wanted.
    await removeContainers(docker);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

async function removeContainers(docker: Docker): Promise<void> {
  const containers = await docker.listContainers({ all: true }).catch(() => []);
  // One that cannot be removed ends with the engine all the same.
  await Promise.allSettled(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
}

/** The engine leaves mounts in its folders: network namespaces, and after a hard end the data folder itself. */
async function cleanUp({ runDir, dataRoot }: DockerdOptions): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  const ours = mounts.filter((path) => `${path}/`.startsWith(`${runDir}/`) || `${path}/`.startsWith(`${dataRoot}/`));
  for (const mount of ours.reverse()) await runCommand(['umount', '--lazy', mount]);
  await rm(runDir, { recursive: true, force: true, maxRetries: 3 });
}
