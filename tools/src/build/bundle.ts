import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const healthCheck = fileURLToPath(new URL('health-check.ts', import.meta.url));

/** CommonJS packages inside an ES module still ask for these. Other names than the packages' own, so that none meet. */
const banner = [
  "import { createRequire as bundleCreateRequire } from 'node:module';",
  'const require = bundleCreateRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

const options = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: banner },
  // Optional compiled parts of ssh2: it goes on without them where they cannot be loaded.
  external: ['*.node', 'cpu-features'],
  sourcemap: 'external',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  absWorkingDir: root,
} as const satisfies BuildOptions;

/** Makes `outDir`/`app`/: main.mjs, the whole service; health.mjs, its health check; the licences of all that is inside. */
export async function bundleApp(app: string, outDir: string): Promise<void> {
  const dir = join(outDir, app);
  await mkdir(dir, { recursive: true });
  const [main, health] = await Promise.all([
    build({ ...options, entryPoints: [join(root, 'apps', app, 'src', 'main.ts')], outfile: join(dir, 'main.mjs') }),
    build({ ...options, entryPoints: [healthCheck], outfile: join(dir, 'health.mjs') }),
  ]);
  const inputs = [main, health].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  await writeFile(join(dir, 'THIRD-PARTY-NOTICES.txt'), await thirdPartyNotices(root, inputs));
  await copyFile(join(root, 'LICENSE'), join(dir, 'LICENSE'));
}
