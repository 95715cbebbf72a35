import { InterlinkError } from '@interlink/contract';

/** Whether a value of a field can be carried out; unset ones are never asked about. */
export type Rule = 'ok' | ((value: unknown) => boolean);

export const isEmpty = (value: unknown): boolean => {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
};

export const only =
  (...values: unknown[]): Rule =>
  (value) =>
    isEmpty(value) || values.includes(value);

/** A field without a rule has to be empty: one that nobody thought of is refused, not dropped. */
export function check(object: Record<string, unknown>, table: Record<string, Rule>, where: string): void {
  for (const [key, value] of Object.entries(object)) {
    const rule = table[key];
    if (rule === 'ok' || isUnset(value) || (rule ?? isEmpty)(value)) continue;
    refuse(`${where}.${key}`, 'remove it, or use a site that supports it');
  }
}

export function isUnset(value: unknown): boolean {
  return value === null || value === undefined;
}

export function rules(names: string): Record<string, Rule> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'ok' as const]));
}

/** @throws InterlinkError Invalid, with what to do about it. */
export function refuse(field: string, advice: string): never {
  throw new InterlinkError('Invalid', `${field} is not supported by the docker site: ${advice}`, { field });
}
