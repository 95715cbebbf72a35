import { types } from 'node:util';
import { InterlinkError } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';

/** How an error is told to whoever called. */
export interface ErrorAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Any thrown value as status and plain text, which is how the kubelet tells errors; logged by what it is. */
export function errorAnswer(thrown: unknown, session: string, log: Logger): ErrorAnswer {
  const error = asInterlinkError(thrown);
  if (error === undefined) log.error({ session, err: thrown }, 'request failed');
  else log[error.status >= 500 ? 'warn' : 'debug']({ session, err: error }, 'request refused');
  return {
    status: error?.status ?? 500,
    text: error?.message ?? `internal error; its cause is in the log of vk-node, session ${session}`,
    headers: error?.code === 'Unauthenticated' ? { 'WWW-Authenticate': 'Bearer' } : {},
  };
}

/** Undefined for what nobody expected: its text is not for strangers. */
function asInterlinkError(thrown: unknown): InterlinkError | undefined {
  if (thrown instanceof InterlinkError) return thrown;
  // Express's own: a path that cannot be decoded.
  const status: unknown = types.isNativeError(thrown) ? Reflect.get(thrown, 'status') : undefined;
  return status === 400 ? new InterlinkError('Malformed', 'the path cannot be read', { cause: thrown }) : undefined;
}
