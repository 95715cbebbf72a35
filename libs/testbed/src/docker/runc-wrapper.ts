import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const sysResourceBit = 24n;

/** Whether even root cannot have CAP_SYS_RESOURCE here, as in some sandboxes; /proc/self/status is the argument. */
export function lacksSysResource(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return bounding !== undefined && ((BigInt(`0x${bounding}`) >> sysResourceBit) & 1n) === 0n;
}

/**
 * Writes a runc that leaves that capability out, where it is lacking: a privileged container asks for all of them, and
 * its start would fail. Returns `path`, or undefined where the machine's runc is good as it is.
 */
export async function writeRuncWrapper(path: string): Promise<string | undefined> {
  if (!lacksSysResource(await readFile('/proc/self/status', 'utf8'))) return undefined;
  const runc = ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/sbin/runc'].find((file) => existsSync(file)) ?? 'runc';
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, wrapperText(runc), { mode: 0o755 });
  return path;
}

const wrapperText = (runc: string) => `#!/bin/sh
# runc without CAP_SYS_RESOURCE, which this machine's root does not have: taken out of
# the container's configuration (create, run) and of the process description (exec).
set -eu
strip() {
  if [ -f "$1" ]; then
    sed -i -e 's/"CAP_SYS_RESOURCE",//g' -e 's/,"CAP_SYS_RESOURCE"//g' -e 's/"CAP_SYS_RESOURCE"//g' "$1"
  fi
}
before=
for word in "$@"; do
  case $before in
    --bundle | -b) strip "$word/config.json" ;;
    --process | -p) strip "$word" ;;
  esac
  before=$word
done
exec ${runc} "$@"
`;
