import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { cacheDir } from '../cache.ts';
import { runOrFail } from '../command.ts';
import { ensureGoProgram } from '../go-program.ts';
import { step } from '../progress.ts';
import { ensureBaseImages } from './base-image.ts';
import { drain } from './import-image.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const bundler = join(root, 'tools', 'src', 'build', 'main.ts');
const services = ['vk-node', 'interlink-api', 'docker-sidecar'] as const;
const bundleFiles = ['main.mjs', 'health.mjs', 'LICENSE', 'THIRD-PARTY-NOTICES.txt'];
const bundleTimeoutMs = 120_000;

export type AppImage = (typeof services)[number] | 'sandbox';

/**
 * Bundles the services and builds the images of deploy/images on this machine's own base images, with the engine's
 * classic builder. Returns their names, interlink/NAME:dev. What has not changed comes from the builder's cache; the
 * image that a new one takes the name of is removed.
 */
export async function buildAppImages(docker: Docker, cache: string = cacheDir()): Promise<Record<AppImage, string>> {
  const { base, runtimeBase } = await ensureBaseImages(docker);
  const { Arch: architecture } = await docker.version();
  const buildargs = { BASE: base, RUNTIME_BASE: runtimeBase, TARGETARCH: architecture, VERSION: await version() };
  const files = await step('bundling the services', () => contextFiles(cache, architecture));
  const build = async (target: AppImage): Promise<string> => {
    const name = `interlink/${target}:dev`;
    const before = await idOf(docker, name);
    await step(`building ${name}`, async () => {
      const options = { t: name, target, buildargs, forcerm: true };
      await drain(docker, name, await docker.buildImage(contextOf(files), options));
    });
    if (before !== undefined && before !== (await idOf(docker, name))) await removeUnused(docker, before);
    return name;
  };
  // One after another, in the order of the file: the classic builder makes every stage above its target.
  return {
    'vk-node': await build('vk-node'),
    'interlink-api': await build('interlink-api'),
    'docker-sidecar': await build('docker-sidecar'),
    sandbox: await build('sandbox'),
  };
}

async function contextFiles(cache: string, architecture: string): Promise<Map<string, Buffer>> {
  const files = new Map([['Dockerfile', await readFile(join(root, 'deploy', 'images', 'Dockerfile'))]]);
  const sandbox = { name: 'sandbox', sourceDir: join(root, 'apps', 'docker-sidecar', 'sandbox') };
  files.set(`sandbox/${architecture}/sandbox`, await readFile((await ensureGoProgram(cache, sandbox)).path));
  // A folder of its own: two runs at once must not read what the other one is writing.
  const out = await mkdtemp(join(tmpdir(), 'interlink-bundles-'));
  try {
    await runOrFail([process.execPath, bundler, '--out', out, ...services], { timeoutMs: bundleTimeoutMs });
    for (const service of services) {
      for (const file of bundleFiles) files.set(`apps/${service}/${file}`, await readFile(join(out, service, file)));
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  return files;
}

function contextOf(files: ReadonlyMap<string, Buffer>): Readable {
  const tar = pack();
  for (const [name, content] of files) {
    tar.entry({ name, mode: name.endsWith('/sandbox') ? 0o755 : 0o644, mtime: new Date(0) }, content);
  }
  tar.finalize();
  return Readable.from(tar);
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const stated = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(stated);
}

async function idOf(docker: Docker, name: string): Promise<string | undefined> {
  return await docker
    .getImage(name)
    .inspect()
    .then(
      ({ Id }) => Id,
      () => undefined,
    );
}

/** One that has another name, or that a container still uses, stays. */
async function removeUnused(docker: Docker, id: string): Promise<void> {
  const { RepoTags: names } = await docker.getImage(id).inspect();
  if ((names ?? []).some((name) => name !== '<none>:<none>')) return;
  await docker
    .getImage(id)
    .remove()
    .catch(() => undefined);
}
