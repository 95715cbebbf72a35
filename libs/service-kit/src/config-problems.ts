import { z } from 'zod';

/** One thing wrong with a configuration: where (key path) and what. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

type Issue = z.core.$ZodIssue;

/** What zod found, in words for the person who wrote the file. Values are never repeated: they may be secret. */
export function problemsOf(error: z.ZodError, schema: z.ZodType, data: unknown): Problem[] {
  const known = (path: readonly PropertyKey[]) => knownKeys(schema, path);
  return error.issues.flatMap((issue) => describeIssue(issue, [], data, known));
}

function describeIssue(
  issue: Issue,
  base: readonly PropertyKey[],
  data: unknown,
  known: (path: readonly PropertyKey[]) => readonly string[],
): Problem[] {
  const path = [...base, ...issue.path];
  const value = valueAt(data, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], what: `unknown key${suggest(key, known(path))}` }));
    case 'invalid_union': {
      if (issue.message !== 'Invalid input') return [{ path, what: value === undefined ? missing : issue.message }];
      const [closest] = [...issue.errors].sort((a, b) => distanceOf(a) - distanceOf(b));
      return (closest ?? []).flatMap((inner) => describeIssue(inner, path, data, known));
    }
    case 'invalid_type':
      return [
        {
          path,
          what:
            value === undefined
              ? `${missing} (${kindName(issue.expected)})`
              : `must be ${kindName(issue.expected)}, not ${kindName(kindOf(value))}`,
        },
      ];
    case 'invalid_value':
      return [
        {
          path,
          what:
            value === undefined
              ? `${missing} (one of ${issue.values.map(String).join(', ')})`
              : `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`,
        },
      ];
    default:
      return [{ path, what: issue.message }];
  }
}

const missing = 'is missing';

/** A branch of a union that fails at its very root is not the one that was meant. */
function distanceOf(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'invalid_type' && issue.path.length === 0 ? 100 : 1), 0);
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const kindNames: { readonly [kind in string]?: string } = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
};

function kindName(kind: string): string {
  return kindNames[kind] ?? kind;
}

/** The keys that the schema knows at a path. Read from its JSON schema, which is plain data, not zod's internals. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let nodes = branches(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  for (const key of path) {
    nodes = nodes.flatMap((node) =>
      [
        ...(typeof key === 'number'
          ? [node.items].flat()
          : [node.properties?.[String(key)], node.additionalProperties]),
      ].flatMap(branches),
    );
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function branches(node: unknown): z.core.JSONSchema.BaseSchema[] {
  if (typeof node !== 'object' || node === null) return [];
  const schema = node as z.core.JSONSchema.BaseSchema;
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap(branches)];
}

function suggest(key: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
  if (near.length > 0) return `; did you mean ${near.join(' or ')}?`;
  return known.length > 0 ? `; known here: ${known.join(', ')}` : '';
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const swap = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
