import { resultSchema } from '@interlink/conformance';
import { z } from 'zod';

/** A result as the end-to-end suite keeps it. */
export const keptResultSchema = resultSchema.extend({
  /** As `git describe --always --dirty` names it. */
  commit: z.string(),
});

export type KeptResult = z.infer<typeof keptResultSchema>;

export interface Column {
  readonly name: string;
  /** Undefined where the suite has not been run: its cells stay empty. */
  readonly result: KeptResult | undefined;
}

/** A row for each row of any column, and above the table when and at which commit each column was measured. */
export function formatTable(columns: readonly Column[]): string {
  const rows = new Map(columns.flatMap(({ result }) => result?.rows ?? []).map(({ id, title }) => [id, title]));
  const cell = ({ result }: Column, id: string) => result?.rows.find((row) => row.id === id)?.outcome ?? '';
  return [
    ...columns.map(headline),
    '',
    line(['row', 'what it proves', ...columns.map(({ name }) => name)]),
    line(['---', '---', ...columns.map(() => '---')]),
    ...[...rows].map(([id, title]) => line([`\`${id}\``, title, ...columns.map((column) => cell(column, id))])),
  ].join('\n');
}

function headline({ name, result }: Column): string {
  if (result === undefined) return `- ${name}: not run yet`;
  const { passed, failed, skipped, commit, startedAt } = result;
  return `- ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, at \`${commit}\` on ${startedAt.slice(0, 10)}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** @returns undefined where the text has not got the two markers `<!-- NAME:start -->` and `<!-- NAME:end -->`, in this order. */
export function replaceBetweenMarkers(text: string, table: string, name: string): string | undefined {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from) return undefined;
  return `${text.slice(0, from + start.length)}\n\n${table}\n\n${text.slice(to)}`;
}
