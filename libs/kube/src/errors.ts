/** Reasons this library gives where the API server gave none; the server's own (`NotFound`, `Conflict`, ...) pass as they are. */
export type LocalReason = 'NetworkError' | 'Timeout' | 'Aborted' | 'CredentialsFailed' | 'Unparsable' | 'TooLarge';

export interface KubeErrorDetails {
  /** HTTP status; 0 when no answer arrived. */
  status: number;
  /** `reason` of the Status object, or a LocalReason. */
  reason: string;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/** A request to the API server that failed. Test it with the predicates below, never by its message. */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;
  /** Seconds the server asks us to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, details: KubeErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KubeError';
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The kubeconfig cannot be used; the message names the file. Final: someone has to repair it. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const unreachableReasons: readonly string[] = ['NetworkError', 'Timeout', 'CredentialsFailed'] satisfies LocalReason[];

const hasStatus =
  (...wanted: number[]) =>
  (error: unknown): boolean =>
    error instanceof KubeError && wanted.includes(error.status);

const hasReason = (error: unknown, ...wanted: string[]): boolean =>
  error instanceof KubeError && wanted.includes(error.reason);

export const isNotFound = hasStatus(404);
export const isForbidden = hasStatus(403);
export const isUnauthorized = hasStatus(401);

/** The object changed in between (resourceVersion or UID precondition); not the 409 of a create that found its name taken. */
export const isConflict = (error: unknown): boolean => hasStatus(409)(error) && !isAlreadyExists(error);

export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');

/** The resourceVersion or the continue token is too old: list again. */
export const isGone = (error: unknown): boolean => hasStatus(410)(error) || hasReason(error, 'Expired', 'Gone');

/** The caller's own signal ended the request. */
export const isAborted = (error: unknown): boolean => hasReason(error, 'Aborted');

/** The API server could not be reached, or cannot serve for now (429, 5xx): the same request may succeed later. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof KubeError &&
  (unreachableReasons.includes(error.reason) || error.status === 429 || error.status >= 500);
