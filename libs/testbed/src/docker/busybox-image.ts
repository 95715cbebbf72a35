import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { cacheDir } from '../cache.ts';
import { runOrFail } from '../command.ts';
import { step } from '../progress.ts';
import { hasPackage } from './apt.ts';
import { unpackedProgram } from './debian-package.ts';
import { drain, hasImage, importImage, type LayerEntry } from './import-image.ts';

const image = 'busybox:1.35';

export interface MadeImage {
  name: string;
  /** Whether the engine had it not before, so that the caller may remove it afterwards. */
  made: boolean;
}

/** busybox:1.35: the engine's own, or one made from Debian's static busybox, so that no registry is needed. */
export async function ensureBusybox(docker: Docker, cache: string = cacheDir()): Promise<MadeImage> {
  if (await hasImage(docker, image)) return { name: image, made: false };
  const program = await findStaticBusybox(cache);
  if (program === undefined) {
    await step(`pulling ${image}`, async () => drain(docker, image, await docker.pull(image)));
  } else {
    const changes = ['ENV PATH=/bin', 'CMD ["sh"]'];
    await importImage(docker, image, busyboxFiles(await readFile(program), await listApplets(program)), changes);
  }
  return { name: image, made: true };
}

/** Debian's package: not installed, for it would throw out the dynamic busybox of the machine. */
async function findStaticBusybox(cache: string): Promise<string | undefined> {
  if (await hasPackage('busybox-static')) return '/bin/busybox';
  return unpackedProgram('busybox-static', ['bin/busybox', 'usr/bin/busybox'], cache, 'busybox');
}

async function listApplets(program: string): Promise<string[]> {
  const listed = (await runOrFail([program, '--list'])).split('\n');
  // It names itself too, and a link of that name would take the program's place.
  return listed.filter((name) => name !== '' && name !== 'busybox');
}

function busyboxFiles(program: Buffer, applets: readonly string[]): LayerEntry[] {
  const users = ['root:x:0:0:root:/root:/bin/sh', 'nobody:x:65534:65534:nobody:/:/bin/false', ''];
  const groups = ['root:x:0:', 'nogroup:x:65534:', ''];
  return [
    { path: 'bin', type: 'folder' },
    { path: 'bin/busybox', type: 'file', content: program, mode: 0o755 },
    ...applets.map((name): LayerEntry => ({ path: `bin/${name}`, type: 'link', target: 'busybox' })),
    { path: 'etc', type: 'folder' },
    { path: 'etc/passwd', type: 'file', content: users.join('\n') },
    { path: 'etc/group', type: 'file', content: groups.join('\n') },
    { path: 'root', type: 'folder', mode: 0o700 },
    { path: 'tmp', type: 'folder', mode: 0o1777 },
  ];
}
