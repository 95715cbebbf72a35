import { readFileSync, statSync } from 'node:fs';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parse, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { applyAliases, type Translate } from './config-aliases.ts';
import { problemsOf } from './config-problems.ts';
import { errnoOf, startFailure } from './start-error.ts';

/** The configuration cannot be used. The message has one line per problem: `FILE:LINE:COL key.path: what is wrong`. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export interface ConfigSource<T> {
  readonly file: string;
  /** Use `z.strictObject`, so that a misspelt key is an error. */
  readonly schema: z.ZodType<T>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Environment variable -> key path (`sidecar.endpoint`) that it replaces. */
  readonly envAliases?: Readonly<Record<string, string>>;
  /** Understands another program's file and variables. */
  readonly translate?: Translate | undefined;
  readonly onWarning?: ((line: string) => void) | undefined;
}

const maxFileBytes = 4 * 1024 * 1024;

/**
 * Reads and checks a YAML file. An empty file counts as an empty map: the defaults, or the list of what is missing.
 * @throws ConfigError with all problems at once.
 */
export function loadConfig<T>(source: ConfigSource<T>): T {
  const { file, schema, env = {}, envAliases = {}, translate, onWarning = () => undefined } = source;
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${at(error.pos[0])} not valid YAML: ${error.message}`));
  }
  const fromEnv = Object.entries(envAliases).flatMap(([name, path]) => {
    const text = env[name];
    return text === undefined || text === '' ? [] : [{ name, path: path.split('.'), value: scalar(text) }];
  });
  const translated = applyAliases(plain(document, file) ?? {}, env, translate);
  const whereIs = (key: string) =>
    document.has(key) ? `${at(offsetOf(document, [key]))} ${key}` : `environment ${key}`;
  for (const { from, what } of translated.warnings) onWarning(`${whereIs(from)}: ${what}`);
  const data = fromEnv.reduce<unknown>((tree, { path, value }) => withValue(tree, path, value), translated.data);

  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    problemsOf(parsed.error, schema, data).map(({ path, what }) => {
      const variable = fromEnv.find((entry) => entry.path.every((key, index) => key === path[index]));
      const alias = translated.aliases.find((entry) => isWithin(path, entry.path.split('.')));
      if (alias !== undefined) return `${whereIs(alias.from)} (here ${keyPath(path)}): ${what}`;
      const where = variable === undefined ? at(offsetOf(document, path)) : `environment ${variable.name}`;
      return path.length === 0 ? `${where} ${what}` : `${where} ${keyPath(path)}: ${what}`;
    }),
  );
}

function isWithin(path: readonly PropertyKey[], of: readonly string[]): boolean {
  return path.every((key, index) => of[index] === undefined || of[index] === String(key));
}

function readText(file: string): string {
  try {
    if (statSync(file).size > maxFileBytes) throw new ConfigError([`${file}: larger than ${maxFileBytes} bytes`]);
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw thrown;
    const code = errnoOf(thrown);
    const why =
      { ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'is a folder, not a file' }[code ?? ''] ?? code;
    throw new ConfigError([`${file}: cannot be read: ${why ?? String(thrown)}`]);
  }
}

function plain(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    throw new ConfigError([`${file}: not valid YAML: ${startFailure(thrown)}`]);
  }
}

/** A variable means what the same text would mean in the file, as long as that is a single value. */
function scalar(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === 'number' || typeof value === 'boolean' ? value : text;
  } catch {
    return text;
  }
}

function withValue(tree: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const map = isRecord(tree) ? tree : {};
  return { ...map, [key]: withValue(map[key], rest, value) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where the key of a path stands; for one that is not in the file, its nearest ancestor that is. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) break;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      if (!isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}

function keyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
}
