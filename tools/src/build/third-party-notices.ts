import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.looseObject({ type: z.string() }).transform(({ type }) => type)]).optional(),
});

/** Name, version, licence and its text of every package that some of the bundled files belong to. */
export async function thirdPartyNotices(root: string, bundledFiles: readonly string[]): Promise<string> {
  const folders = new Set(bundledFiles.map(packageFolder).filter((folder) => folder !== undefined));
  const notices = await Promise.all([...folders].map((folder) => notice(join(root, folder))));
  return `${[...new Set(notices)].sort().join(`\n${'-'.repeat(80)}\n`)}`;
}

/** The innermost package of a path such as `node_modules/a/node_modules/@b/c/lib/x.js`; undefined for our own files. */
export function packageFolder(file: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

async function notice(folder: string): Promise<string> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const files = (await readdir(folder)).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const heading = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`;
  return [heading, ...texts.map((text) => text.trim())].join('\n\n').concat('\n');
}
