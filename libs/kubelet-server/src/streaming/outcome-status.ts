import { InterlinkError, type CommandOutcome } from '@interlink/contract';

/** What is told of a metav1.Status. */
export interface Status {
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

/** The end of an exec, in the kubelet's words. */
export function execStatus(outcome: CommandOutcome): Status {
  if ('error' in outcome) return internalError(`error executing command in container: ${outcome.error.message}`);
  const { exitCode } = outcome;
  if (exitCode === 0) return success;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    // A cause's type is its `reason` on the wire.
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The end of an attach: how the container ended is the pod's status, and no error of the attaching. */
export function attachStatus(outcome: CommandOutcome): Status {
  if (!('error' in outcome)) return success;
  return internalError(`error attaching to container: ${outcome.error.message}`);
}

/** For clients that know no Status; nothing means success. */
export function textOf({ status, message = '' }: Status): string {
  return status === 'Success' ? '' : message;
}

/** Of a stopping server, to whoever still has a stream open. */
export function stoppingError(): InterlinkError {
  const message = 'the kubelet of this node is stopping, which ends the connection; run the command again in a moment';
  return new InterlinkError('Unavailable', message);
}

const success: Status = { metadata: {}, status: 'Success' };

function internalError(message: string): Status {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}
