import { fileURLToPath } from 'node:url';
import type { FeatureContext } from './feature-context.ts';

/** One row of the feature table: a thing that users do with a pod, seen from the cluster. */
export interface FeatureRow {
  /** `<group>.<name>` */
  readonly id: string;
  readonly title: string;
  /** The file that the row stands in: a cell is true only for the text that was run. */
  readonly source: string;
  /** In ms; default that of the run. */
  readonly timeoutMs?: number;
  run(context: FeatureContext): Promise<void>;
}

type GroupRow = Omit<FeatureRow, 'id' | 'source'> & { readonly name: string };

/** @param url `import.meta.url` of the file that the rows stand in */
export function featureRows(url: string, group: string, rows: readonly GroupRow[]): FeatureRow[] {
  const source = fileURLToPath(url);
  return rows.map(({ name, ...rest }) => ({ ...rest, id: `${group}.${name}`, source }));
}
