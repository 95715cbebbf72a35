import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { cacheDir } from '../cache.ts';
import { ensureGoProgram } from '../go-program.ts';
import { hasImage, importImage } from './import-image.ts';

const sourceDir = fileURLToPath(new URL('../../../../apps/docker-sidecar/sandbox/', import.meta.url));

/** The image that holds a pod's namespaces on a Docker engine, built from source where the engine lacks it. Returns its name. */
export async function ensureSandboxImage(docker: Docker, cache: string = cacheDir()): Promise<string> {
  const { path, key } = await ensureGoProgram(cache, { name: 'sandbox', sourceDir });
  const name = `interlink-sandbox:${key.slice(0, 12)}`;
  if (await hasImage(docker, name)) return name;
  await importImage(
    docker,
    name,
    [
      { path: 'sandbox', type: 'file', content: await readFile(path), mode: 0o755 },
      { path: 'tmp', type: 'folder', mode: 0o1777 },
    ],
    ['ENTRYPOINT ["/sandbox"]', 'LABEL interlink.eu/image=sandbox'],
  );
  return name;
}
