import { featureResultSchema, selectRows, type FeatureResult } from '@interlink/conformance';
import { z } from 'zod';

/** What was last run on each backend: the truth behind the table. */
export const featuresSchema = z.record(
  z.string(),
  z.object({
    /** As `git describe --always --dirty` names it. */
    commit: z.string(),
    /** RFC 3339 */
    date: z.string(),
    rows: z.array(featureResultSchema),
  }),
);

export type Features = z.infer<typeof featuresSchema>;

/** Every row of the suite; the cell of a row that did not run on a backend is empty. */
export function formatFeatures(features: Features): string {
  const columns = Object.entries(features);
  const cell = (rows: readonly FeatureResult[], id: string) => rows.find((row) => row.id === id)?.outcome ?? '';
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    ...columns.map(
      ([name, { commit, date, rows }]) => `- ${name}: ${counts(rows)}, at \`${commit}\` on ${date.slice(0, 10)}`,
    ),
    '',
    line(['row', 'what works', ...columns.map(([name]) => name)]),
    line(['---', '---', ...columns.map(() => '---')]),
    ...selectRows().map(({ id, title }) =>
      line([`\`${id}\``, title, ...columns.map(([, { rows }]) => cell(rows, id))]),
    ),
  ].join('\n');
}

export function counts(rows: readonly FeatureResult[]): string {
  const count = (outcome: FeatureResult['outcome']) => rows.filter((row) => row.outcome === outcome).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('refused')} refused`;
}

/** Rows that stand as passed although what they do has changed since: the cell would claim what nobody has seen. */
export async function staleRows(features: Features, hashOf: (file: string) => Promise<string>): Promise<string[]> {
  const sources = new Map(selectRows().map(({ id, source }) => [id, source]));
  const stale: string[] = [];
  for (const [backend, { rows }] of Object.entries(features)) {
    for (const { id, outcome, hash } of rows) {
      const source = sources.get(id);
      if (outcome !== 'passed') continue;
      if (source === undefined || (await hashOf(source)) !== hash) stale.push(`${backend}: ${id}`);
    }
  }
  return stale;
}
