import { InterlinkError } from '@interlink/contract';
import { z } from 'zod';

const engineErrorSchema = z.looseObject({
  statusCode: z.number(),
  // The bare bytes when the answer was no JSON, as an empty 304 is.
  json: z.looseObject({ message: z.string() }).nullish().catch(undefined),
});

/** What an engine call threw, by what can be done about it: an engine that does not answer is `Unavailable`. */
export function sortError(thrown: unknown): InterlinkError {
  if (thrown instanceof InterlinkError) return thrown;
  const answer = engineErrorSchema.safeParse(thrown);
  const message =
    (answer.success ? answer.data.json?.message : undefined) ??
    (thrown instanceof Error ? thrown.message : String(thrown));
  if (!answer.success) return new InterlinkError('Unavailable', `the Docker engine does not answer: ${message}`);
  const { statusCode } = answer.data;
  // 304: already started or stopped. 409: the name is taken, or a removal is under way.
  const code =
    statusCode === 404
      ? 'NotFound'
      : statusCode === 409 || statusCode === 304
        ? 'Gone'
        : statusCode < 500
          ? 'Invalid'
          : 'Internal';
  return new InterlinkError(code, message);
}

/** Of a bind whose mounts should show elsewhere too: what to do about it, beside what the engine says. */
export function withSharedMountAdvice(message: string): string {
  const [, path] = /path .+ is mounted on (\S+) but it is not a shared( or slave)? mount/.exec(message) ?? [];
  if (path === undefined) return message;
  return `${message}: mount propagation needs a shared mount, so run "mount --make-rshared ${path}" on the engine's host`;
}
