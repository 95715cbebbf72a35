import { z } from 'zod';
import { errorBodySchema, InterlinkError } from '../errors.ts';
import type { CommandOutcome } from './command-streams.ts';
import { parseJson } from '../first-bytes.ts';

const statusSchema = z.looseObject({
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().default(''),
  details: z
    .looseObject({ causes: z.array(z.looseObject({ reason: z.string().optional(), message: z.string() })).nullish() })
    .nullish(),
});

/** An outcome as Kubernetes' metav1.Status; an error has the code of the contract as its reason. */
export function formatOutcome(outcome: CommandOutcome): Buffer {
  return Buffer.from(JSON.stringify({ metadata: {}, ...statusOf(outcome) }));
}

function statusOf(outcome: CommandOutcome): object {
  if ('error' in outcome) {
    const { code, message, status } = outcome.error;
    return { status: 'Failure', reason: code, message, code: status };
  }
  const { exitCode } = outcome;
  if (exitCode === 0) return { status: 'Success' };
  return {
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

export function parseOutcome(content: Buffer, peer: string): CommandOutcome {
  const parsed = statusSchema.safeParse(parseJson(content.toString('utf8')));
  if (!parsed.success) return unreadable(peer);
  const { status, reason, message, details } = parsed.data;
  if (status === 'Success') return { exitCode: 0 };
  if (reason === 'NonZeroExitCode') {
    const exitCode = Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message);
    return Number.isInteger(exitCode) ? { exitCode } : unreadable(peer);
  }
  const ours = errorBodySchema.safeParse({ code: reason, message });
  return {
    error: ours.success
      ? new InterlinkError(ours.data.code, ours.data.message)
      : new InterlinkError('Internal', `${peer}: ${message || 'the command failed'}`),
  };
}

function unreadable(peer: string): CommandOutcome {
  return { error: new InterlinkError('Unavailable', `${peer} ended the command with a status that cannot be read`) };
}
