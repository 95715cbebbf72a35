import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { runOrFail } from '../command.ts';
import { step } from '../progress.ts';
import { hasImage, importImage, type LayerEntry } from './import-image.ts';

/** Stand-ins for the two public images that ours are built on, made from this machine's files. */
export interface BaseImages {
  /** For BASE: node at /usr/local/bin/node, as in the official image. */
  readonly base: string;
  /** For RUNTIME_BASE: what node needs to run, and no node. */
  readonly runtimeBase: string;
}

const environment = 'ENV PATH=/usr/local/bin:/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt';
const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** Makes the images where the engine lacks them. Their tags are hashes of what is inside. */
export async function ensureBaseImages(docker: Docker, node: string = process.execPath): Promise<BaseImages> {
  const libraries = await librariesOf(node);
  const runtime = await runtimeFiles(libraries);
  const program: LayerEntry = { path: 'usr/local/bin/node', type: 'file', content: await readFile(node), mode: 0o755 };
  const ensure = async (repository: string, entries: readonly LayerEntry[], changes: readonly string[]) => {
    const name = `${repository}:${hashOf(entries, changes)}`;
    if (!(await hasImage(docker, name)))
      await step(`making ${name}`, () => importImage(docker, name, entries, changes));
    return name;
  };
  return {
    base: await ensure('interlink-base', [...runtime, program], [environment, 'CMD ["node"]']),
    runtimeBase: await ensure('interlink-runtime-base', runtime, [environment]),
  };
}

/** The loader and the shared libraries of a program, at the paths where it looks for them. */
export async function librariesOf(program: string): Promise<string[]> {
  const listed = (await runOrFail(['ldd', program])).split('\n');
  const paths = listed.map((line) => /(?:=> )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line.trim())?.[1]);
  return paths.filter((path) => path !== undefined);
}

async function runtimeFiles(libraries: readonly string[]): Promise<LayerEntry[]> {
  // Loaded by name when a host name is looked up, so that ldd does not show it.
  const resolver = libraries.flatMap((path) => {
    const beside = path.replace(/[^/]+$/, 'libresolv.so.2');
    return path.endsWith('/libc.so.6') && existsSync(beside) ? [beside] : [];
  });
  const copied = [...libraries, ...resolver, ...(existsSync(authorities) ? [authorities] : [])];
  return [
    { path: 'tmp', type: 'folder', mode: 0o1777 },
    ...['run', 'srv', 'var', 'var/lib'].map((path): LayerEntry => ({ path, type: 'folder' })),
    {
      path: 'etc/passwd',
      type: 'file',
      content: users(['root:x:0:0:root:/root', 'nonroot:x:65532:65532:nonroot:/home']),
    },
    { path: 'etc/group', type: 'file', content: 'root:x:0:\nnonroot:x:65532:\n' },
    // Without it host names that are in /etc/hosts are asked of the name server first.
    { path: 'etc/nsswitch.conf', type: 'file', content: 'hosts: files dns\n' },
    ...(await Promise.all(copied.map(copyOf))),
  ];
}

function users(lines: readonly string[]): string {
  return lines.map((line) => `${line}:/sbin/nologin\n`).join('');
}

async function copyOf(path: string): Promise<LayerEntry> {
  const mode = path === authorities ? 0o644 : 0o755;
  return { path: path.slice(1), type: 'file', content: await readFile(path), mode };
}

function hashOf(entries: readonly LayerEntry[], changes: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(changes));
  for (const entry of entries) {
    hash.update(JSON.stringify([entry.path, entry.type, entry.type === 'link' ? entry.target : entry.mode]));
    if (entry.type === 'file') hash.update(entry.content);
  }
  return hash.digest('hex').slice(0, 12);
}
