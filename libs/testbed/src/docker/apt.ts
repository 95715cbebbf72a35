import { existsSync } from 'node:fs';
import { runCommand, runOrFail } from '../command.ts';
import { step } from '../progress.ts';

const aptTimeoutMs = 20 * 60_000;

/** Whether we may install packages: as root, on Debian or one of its kind. */
export function mayInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/** Whether a Debian package is installed; false on any other system. */
export async function hasPackage(name: string): Promise<boolean> {
  const query = ['dpkg-query', '--show', '--showformat=${Status}', name];
  const result = await runCommand(query).catch(() => undefined);
  return result?.code === 0 && result.stdout.endsWith(' installed');
}

/** Installs Debian packages without what they merely recommend. */
export async function installPackages(names: readonly string[]): Promise<void> {
  await step(`installing ${names.join(', ')}`, () => aptGet(['install', '--yes', '--no-install-recommends', ...names]));
}

/** Runs apt-get; where that fails, once more with new package lists, for a fresh machine has none and an old one stale ones. */
export async function aptGet(args: readonly string[], cwd?: string): Promise<void> {
  const options = { cwd, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: aptTimeoutMs };
  // Another apt may be at work, on a machine that has just booted above all.
  const apt = ['apt-get', '--option', 'DPkg::Lock::Timeout=300'];
  const { code } = await runCommand([...apt, ...args], options);
  if (code === 0) return;
  await runOrFail([...apt, 'update'], options);
  await runOrFail([...apt, ...args], options);
}
