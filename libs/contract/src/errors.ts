import { z } from 'zod';

/**
 * The one catalogue of errors that cross a hop. `status` is the HTTP status, `retryable` says whether the same
 * request may succeed later, `podReason` is the reason a pod shows while (or because) it cannot run.
 */
export const errorCatalogue = {
  Malformed: { status: 400, retryable: false, podReason: 'InvalidRequest' },
  Unauthenticated: { status: 401, retryable: true, podReason: 'AccessDenied' },
  Denied: { status: 403, retryable: true, podReason: 'AccessDenied' },
  NotFound: { status: 404, retryable: false, podReason: 'NotFound' },
  Gone: { status: 410, retryable: false, podReason: 'Gone' },
  TooLarge: { status: 413, retryable: false, podReason: 'TooLarge' },
  Invalid: { status: 422, retryable: false, podReason: 'Unsupported' },
  Internal: { status: 500, retryable: true, podReason: 'SiteError' },
  Unavailable: { status: 503, retryable: true, podReason: 'SiteUnavailable' },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

const codes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];

/** What an error looks like on the wire. `field` is the path of the offending field, e.g. `spec.hostNetwork`. */
export const errorBodySchema = z.object({
  code: z.enum(codes),
  message: z.string(),
  field: z.string().optional(),
});

export type ErrorBody = z.infer<typeof errorBodySchema>;

/** A typed error: test by `code`, never by message. The message says what, which object, and what to do next. */
export class InterlinkError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  /** The session id of the call that failed, set by the client: it stands in the logs of every hop. */
  session: string | undefined;

  constructor(code: ErrorCode, message: string, options: { field?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'InterlinkError';
    this.code = code;
    this.field = options.field;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }

  get podReason(): string {
    return errorCatalogue[this.code].podReason;
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, ...(this.field === undefined ? {} : { field: this.field }) };
  }

  /** Any thrown value as an InterlinkError; what is not one already is `Internal` (or the given code). */
  static from(thrown: unknown, code: ErrorCode = 'Internal'): InterlinkError {
    if (thrown instanceof InterlinkError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new InterlinkError(code, message, { cause: thrown });
  }

  /**
   * The error that an HTTP answer stands for. Only 200 is success in this protocol, so any other status is an error:
   * ours names its code in the body, a classic plugin's is sorted by its status.
   */
  static fromResponse(status: number, body: string, peer: string): InterlinkError {
    const ours = errorBodySchema.safeParse(parseJson(body));
    if (ours.success) return new InterlinkError(ours.data.code, ours.data.message, { field: ours.data.field });
    return new InterlinkError(
      codeOfStatus(status),
      `${peer} answered ${status}: ${body.slice(0, 512).trim() || 'no text'}`,
    );
  }
}

export function isCode(thrown: unknown, ...wanted: ErrorCode[]): boolean {
  return thrown instanceof InterlinkError && wanted.includes(thrown.code);
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 502 || status === 504 || status >= 500) return 'Unavailable';
  return codes.find((code) => errorCatalogue[code].status === status) ?? 'Unavailable';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
