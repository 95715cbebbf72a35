import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { formatTable, keptResultSchema, replaceBetweenMarkers, type Column } from './table.ts';

const names = ['process', 'api', 'image'] as const;
const help = `node tools/src/conformance-table/main.ts --readme FILE [${names.map((name) => `--${name} FILE`).join('] [')}]

Writes the table of conformance results between the markers of a README. The files are those that the end-to-end suite
has kept (it prints where). A column without a file stays empty.`;

const file = { type: 'string' } as const;
const { values } = parseArgs({
  options: { readme: file, process: file, api: file, image: file, help: { type: 'boolean', short: 'h' } },
});
if (values.help) console.log(help);
else if (values.readme === undefined) {
  console.error(help);
  process.exitCode = 2;
} else process.exitCode = await writeTable(values.readme);

async function writeTable(readme: string): Promise<number> {
  const columns = await Promise.all(names.map((name) => readColumn(name, values[name])));
  const text = replaceBetweenMarkers(await readFile(readme, 'utf8'), formatTable(columns), 'conformance');
  if (text === undefined) {
    console.error(`${readme}: there are no markers <!-- conformance:start --> and <!-- conformance:end -->`);
    return 1;
  }
  await writeFile(readme, await format(text, { ...(await resolveConfig(readme)), filepath: readme }));
  return 0;
}

async function readColumn(name: string, path: string | undefined): Promise<Column> {
  if (path === undefined) return { name, result: undefined };
  return { name, result: keptResultSchema.parse(JSON.parse(await readFile(path, 'utf8'))) };
}
