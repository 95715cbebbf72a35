import { isDeepStrictEqual } from 'node:util';

/** Why a row failed: one line for the table. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** Why a row does not apply to this target. A skipped row proves nothing. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Failure(message);
}

export function same(actual: unknown, expected: unknown, what: string): void {
  check(isDeepStrictEqual(actual, expected), `${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function skip(reason: string): never {
  throw new Skip(reason);
}

const longest = 300;

/** A value in a message, cut to what a line can hold. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text;
}
