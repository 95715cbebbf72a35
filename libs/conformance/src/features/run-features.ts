import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FeatureContext, Refused, type FeatureTarget } from './feature-context.ts';
import type { FeatureRow } from './feature-row.ts';
import { rows as allRows } from './rows/index.ts';

export const featureResultSchema = z.object({
  id: z.string(),
  title: z.string(),
  outcome: z.enum(['passed', 'failed', 'refused']),
  /** Why it failed or was refused. */
  reason: z.string().optional(),
  /** Of the file that the row stood in. */
  hash: z.string(),
  ms: z.number(),
});

export type FeatureResult = z.infer<typeof featureResultSchema>;

export interface FeatureOptions {
  readonly target: FeatureTarget;
  /** Only these rows: ids or groups; default all. */
  readonly only?: readonly string[];
  /** Rows at a time; default 3. */
  readonly concurrency?: number;
  /** Of one row, in ms; default 90 s. A busy batch system needs more. */
  readonly timeoutMs?: number;
  readonly onRow?: (row: FeatureResult) => void;
  readonly signal?: AbortSignal;
}

const defaultTimeoutMs = 90_000;

export function selectRows(only?: readonly string[]): FeatureRow[] {
  return allRows.filter(
    ({ id }) => only === undefined || only.some((name) => id === name || id.startsWith(`${name}.`)),
  );
}

/** Runs the rows, each in a namespace of its own, and gives their results in the order of the table. */
export async function runFeatures(options: FeatureOptions): Promise<FeatureResult[]> {
  const selected = selectRows(options.only);
  const results = new Map<string, FeatureResult>();
  const queue = selected.values();
  const work = async () => {
    for (const row of queue) {
      const result = await runRow(row, options);
      results.set(row.id, result);
      options.onRow?.(result);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? 3 }, work));
  return selected.flatMap(({ id }) => results.get(id) ?? []);
}

/** What the file that a row stands in looks like; formatting does not count. */
export async function sourceHash(file: string): Promise<string> {
  return hash('sha256', (await readFile(file, 'utf8')).replace(/\s+/g, ' '), 'hex').slice(0, 16);
}

async function runRow(row: FeatureRow, { target, signal, timeoutMs = defaultTimeoutMs }: FeatureOptions) {
  const namespace = `feature-${row.id.replaceAll('.', '-')}`;
  const deadline = AbortSignal.timeout(row.timeoutMs ?? timeoutMs);
  const context = new FeatureContext(target, namespace, signal ? AbortSignal.any([signal, deadline]) : deadline);
  const start = performance.now();
  const result = async (outcome: FeatureResult['outcome'], reason?: string): Promise<FeatureResult> => ({
    ...{ id: row.id, title: row.title, outcome, hash: await sourceHash(row.source) },
    ...(reason === undefined ? {} : { reason }),
    ms: Math.round(performance.now() - start),
  });
  try {
    await makeNamespace(context);
    await row.run(context);
    return await result('passed');
  } catch (thrown) {
    if (thrown instanceof Refused) return await result('refused', thrown.message);
    return await result('failed', thrown instanceof Error ? thrown.message : String(thrown));
  } finally {
    await target.kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
  }
}

/** With its service account, without which no pod can be made. */
async function makeNamespace(context: FeatureContext): Promise<void> {
  const { namespace } = context;
  await context.ok(['create', 'namespace', namespace]);
  const wanted = ['serviceaccount/default', 'configmap/kube-root-ca.crt'];
  for (const object of wanted) await context.ok(['wait', '--for=create', object, '--timeout=30s']);
}
