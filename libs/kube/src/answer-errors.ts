import { errors } from 'undici';
import { z } from 'zod';
import { KubeError } from './errors.ts';

const statusSchema = z.looseObject({
  kind: z.literal('Status'),
  reason: z.string().optional(),
  message: z.string().optional(),
  code: z.number().optional(),
  details: z.looseObject({ retryAfterSeconds: z.number().optional() }).nullish(),
});

const reasonsOfStatus: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const maxMessageLength = 1024;

/** The error of an answer that is not a success. `what` names the request, e.g. `GET /api/v1/nodes/a`. */
export function errorOfAnswer(what: string, status: number, body: string, retryAfter: string | undefined): KubeError {
  return errorOfStatus(what, parseJson(body), { status, text: body, retryAfter });
}

/** The error that a `Status` object stands for, e.g. that of a watch event of type ERROR. */
export function errorOfStatus(
  what: string,
  object: unknown,
  answer: { status?: number; text?: string; retryAfter?: string | undefined } = {},
): KubeError {
  const parsed = statusSchema.safeParse(object);
  const given = parsed.success ? parsed.data : undefined;
  const status = answer.status ?? given?.code ?? 500;
  const reason = given?.reason || reasonsOfStatus[status] || 'Unknown';
  const text = given?.message || answer.text?.trim() || 'no message';
  const seconds = Number(answer.retryAfter ?? given?.details?.retryAfterSeconds ?? NaN);
  return new KubeError(`${what}: ${status} ${reason}: ${text.slice(0, maxMessageLength)}`, {
    status,
    reason,
    retryAfterSeconds: Number.isFinite(seconds) ? seconds : undefined,
  });
}

/** The error of a request that got no usable answer. */
export function errorOfTransport(what: string, thrown: unknown): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const told = thrown instanceof Error ? thrown.message : String(thrown);
  const message = thrown instanceof errors.SocketError ? 'the connection was cut' : told;
  return new KubeError(`${what}: ${message || 'connection failed'}`, {
    status: 0,
    reason: thrown instanceof errors.ResponseExceededMaxSizeError ? 'TooLarge' : 'NetworkError',
    cause: thrown,
  });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
