import { errorCatalogue } from '@interlink/contract';
import { z } from 'zod';
import { check, Failure, show } from './check.ts';
import { parseJson } from './parse-json.ts';
import type { Answer } from './peer.ts';

const codes = Object.keys(errorCatalogue) as [keyof typeof errorCatalogue, ...(keyof typeof errorCatalogue)[]];
const errorBodySchema = z.object({
  code: z.enum(codes),
  message: z.string().min(1),
  field: z.string().optional(),
});

export type ErrorBody = z.infer<typeof errorBodySchema>;

/** Success is exactly 200: interLink's virtual kubelet takes no other status. */
export function ok(answer: Answer, what: string): string {
  check(answer.status === 200, `${what}: expected 200, got ${answer.status} ${show(answer.text)}`);
  return answer.text;
}

/** The answer's JSON, checked against a schema of the contract. */
export function json<T>(answer: Answer, schema: z.ZodType<T>, what: string): T {
  const parsed = schema.safeParse(parseJson(ok(answer, what)));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') || 'body';
  throw new Failure(
    `${what}: the answer is not as the contract says: ${where}: ${issue?.message}: ${show(answer.text)}`,
  );
}

/** A refusal in the contract's form; with a code if it must be that one, else any 4xx of the catalogue. */
export function refused(answer: Answer, what: string, code?: ErrorBody['code']): ErrorBody {
  const { status, text } = answer;
  const wanted = code === undefined ? '4xx' : String(errorCatalogue[code].status);
  const fits = code === undefined ? status >= 400 && status < 500 : status === errorCatalogue[code].status;
  check(fits, `${what}: expected ${wanted}, got ${status} ${show(text)}`);
  const body = errorBodySchema.safeParse(parseJson(text));
  check(body.success, `${what}: the body of an error must be {code, message}, got ${show(text)}`);
  check(
    errorCatalogue[body.data.code].status === status,
    `${what}: code ${body.data.code} does not go with status ${status}`,
  );
  check(code === undefined || body.data.code === code, `${what}: expected code ${code}, got ${body.data.code}`);
  return body.data;
}
