import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleApp } from './bundle.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const help = `node tools/src/build/main.ts [--out DIR] [APP...]

Bundles the services of apps/, or those that are named, into one file each: DIR/APP/main.mjs, with its health check
and licences beside it. DIR is dist/apps unless said otherwise.`;

const { values, positionals } = parseArgs({
  options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
});

if (values.help) console.log(help);
else {
  const apps = (await readdir(join(root, 'apps'))).filter((app) => existsSync(join(root, 'apps', app, 'src/main.ts')));
  const unknown = positionals.filter((name) => !apps.includes(name));
  if (unknown.length > 0) {
    console.error(`there is no app ${unknown.join(', ')} in apps/\n\n${help}`);
    process.exitCode = 2;
  } else {
    const outDir = resolve(values.out ?? join(root, 'dist', 'apps'));
    await Promise.all((positionals.length > 0 ? positionals : apps).map((app) => bundleApp(app, outDir)));
  }
}
