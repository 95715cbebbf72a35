type Env = Readonly<Record<string, string | undefined>>;

/** One value that came under another program's name. */
export interface Alias {
  /** Its key in the file, or its environment variable. */
  readonly from: string;
  /** Our key path, `sidecar.endpoint`; numbers are places in a list. */
  readonly path: string;
  readonly value: unknown;
}

export interface Translation {
  readonly aliases: readonly Alias[];
  /** Keys of the other program that mean nothing here, and why. */
  readonly ignored: Readonly<Record<string, string>>;
}

/** Understands the configuration of another program. It looks at its own keys alone; ours stay as they are. */
export type Translate = (file: Readonly<Record<string, unknown>>, env: Env) => Translation;

export interface Translated {
  readonly data: unknown;
  readonly aliases: readonly Alias[];
  /** Key in the file (or variable) -> what the user should know. */
  readonly warnings: readonly { readonly from: string; readonly what: string }[];
}

/** The file in our own terms. A key of ours that is there wins over its alias. */
export function applyAliases(data: unknown, env: Env, translate: Translate | undefined): Translated {
  if (translate === undefined || !isRecord(data)) return { data, aliases: [], warnings: [] };
  const { aliases, ignored } = translate(data, env);
  const foreign = new Set([...aliases.map(({ from }) => from), ...Object.keys(ignored)]);
  const ours: unknown = Object.fromEntries(Object.entries(data).filter(([key]) => !foreign.has(key)));
  const merged = aliases.reduce((tree, { path, value }) => withDefault(tree, path.split('.'), value), ours);
  return {
    data: merged,
    aliases,
    warnings: [
      ...aliases.map(({ from, path }) => ({ from, what: `understood, but the name here is ${path}` })),
      ...Object.entries(ignored)
        .filter(([key]) => key in data)
        .map(([from, why]) => ({ from, what: `ignored: ${why}` })),
    ],
  };
}

function withDefault(tree: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return tree ?? value;
  if (/^\d+$/.test(key)) {
    const list: unknown[] = Array.isArray(tree) ? [...(tree as unknown[])] : [];
    list[Number(key)] = withDefault(list[Number(key)], rest, value);
    return list;
  }
  const map = isRecord(tree) ? tree : {};
  return { ...map, [key]: withDefault(map[key], rest, value) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
