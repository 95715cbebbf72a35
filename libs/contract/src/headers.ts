import { randomUUID } from 'node:crypto';
import { InterlinkError } from './errors.ts';

/** interLink's own header: one id for a request on all its hops, and in all logs. */
export const sessionHeader = 'interlink-http-session';

/** Extension: for which cluster and node the call is made. */
export const ownerHeader = 'interlink-owner';

/** The owner of a caller that states none (interLink's own virtual kubelet), unless the config says otherwise. */
export const classicOwner = 'classic';

const ownerShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$/;

/**
 * Owner of a job: `<UID of the kube-system namespace>/<node name>`. Kept on the job, and the filter of every call.
 * @throws InterlinkError Malformed for text that is not of that form.
 */
export function parseOwner(text: string): string {
  if (ownerShape.test(text)) return text;
  throw new InterlinkError(
    'Malformed',
    `the header ${ownerHeader} must be CLUSTER-UID/NODE-NAME, at most 382 characters`,
  );
}

const sessionShape = /^[\x21-\x7e]{1,128}$/;

/** The caller's session id if it is fit for a log line, else a new one. */
export function sessionOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && sessionShape.test(header) ? header : `Request-${randomUUID()}`;
}
