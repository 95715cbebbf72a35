import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { TestbedError } from './testbed-error.ts';

export interface ProcessOptions {
  /** For messages. */
  name: string;
  argv: readonly string[];
  /** The whole environment, not an addition to ours, which is the default. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Both outputs are appended to it: a pipe that nobody reads would stop the process. */
  logFile: string;
  /** What the process gets when we end without having stopped it. Default SIGKILL. */
  onParentExit?: 'SIGKILL' | 'SIGTERM';
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Never fails. */
  readonly exited: Promise<ExitStatus>;
  /** SIGTERM, and after `graceMs` SIGKILL; waits for the end. May be called again, also after the end. */
  stop(graceMs: number): Promise<ExitStatus>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<ExitStatus>;
}

const setpriv = '/usr/bin/setpriv';
// One for the whole program, as its end is one: what still lives then is in here.
const living = new Map<number, 'SIGKILL' | 'SIGTERM'>();
let hooked = false;

/** Starts a long-running process. A command that is not there may show only as an early end: `waitFor` sees it. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, argv, env, cwd, logFile, onParentExit = 'SIGKILL' } = options;
  const [command, ...args] = boundToParent(argv, onParentExit);
  if (command === undefined) throw new TestbedError(`${name}: no command given`);
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a', 0o600);
  try {
    // Its own process group: Ctrl-C is for us, and we stop what we started in the right order.
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log], detached: true });
    const exited = new Promise<ExitStatus>((resolve) => {
      child.once('exit', (code, signal) => {
        if (child.pid !== undefined) living.delete(child.pid);
        resolve({ code, signal });
      });
    });
    await once(child, 'spawn');
    if (child.pid === undefined) throw new TestbedError(`${name}: no process id`);
    endWithUs(child.pid, onParentExit);
    return managed(name, child.pid, logFile, exited);
  } catch (cause) {
    if (cause instanceof TestbedError) throw cause;
    throw new TestbedError(`${name}: cannot run ${argv[0]}`, { cause });
  } finally {
    closeSync(log);
  }
}

function managed(name: string, pid: number, logFile: string, exited: Promise<ExitStatus>): ManagedProcess {
  const kill = () => {
    if (living.has(pid)) send(pid, 'SIGKILL');
    return exited;
  };
  const stop = async (graceMs: number) => {
    if (living.has(pid)) send(pid, 'SIGTERM');
    const timer = setTimeout(() => void kill(), graceMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  return { name, pid, logFile, exited, stop, kill };
}

/** The kernel ends the process when we are killed and can do nothing ourselves. Linux only; elsewhere the exit hook must do. */
function boundToParent(argv: readonly string[], signal: 'SIGKILL' | 'SIGTERM'): readonly string[] {
  if (!existsSync(setpriv)) return argv;
  return [setpriv, '--pdeathsig', signal.slice('SIG'.length), ...argv];
}

function endWithUs(pid: number, signal: 'SIGKILL' | 'SIGTERM'): void {
  if (!hooked) process.on('exit', endAll);
  hooked = true;
  living.set(pid, signal);
}

function endAll(): void {
  // Negative: the whole group, so that what the process started itself goes too.
  for (const [pid, signal] of living) send(-pid, signal);
}

function send(pid: number, signal: 'SIGKILL' | 'SIGTERM'): void {
  try {
    process.kill(pid, constants.signals[signal]);
  } catch {
    // It ended in between.
  }
}
