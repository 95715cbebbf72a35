import { z } from 'zod';
import { profiles } from './conformance-case.ts';

/** One row of a run. A skipped row has proved nothing. */
const rowSchema = z.object({
  id: z.string(),
  title: z.string(),
  section: z.string(),
  profile: z.enum(profiles),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  /** Why it failed or was skipped; beside a passed row, what else is worth knowing. */
  reason: z.string().optional(),
  ms: z.number(),
});

/** What a run found; also the form of the file that `--json` writes. */
export const resultSchema = z.object({
  endpoint: z.string(),
  leg: z.enum(['sidecar', 'api']),
  profile: z.enum(['full', 'classic']),
  /** The target's own name for itself; absent at a classic plugin. */
  server: z.string().optional(),
  /** RFC 3339 */
  startedAt: z.string(),
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  rows: z.array(rowSchema),
  /** What the suite could not delete. */
  leftovers: z.array(z.string()),
});

export type Row = z.infer<typeof rowSchema>;
export type Result = z.infer<typeof resultSchema>;
