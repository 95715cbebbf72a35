import { InterlinkError, type Container, type EnvVar, type Pod } from '@interlink/contract';
import { startFieldValue, type PodAddresses } from './downward.ts';

export type EnvEntry = { name: string; value: string };

/**
 * Kubernetes' `$(VAR)` rules: `$$` is one `$`, `$(X)` is what `valueOf` says or, if that knows nothing, stays as it is;
 * every other `$` stays too.
 */
export function expandReferences(text: string, valueOf: (name: string) => string | undefined): string {
  let out = '';
  let done = 0;
  // Found once: without it, a text of many `$(` and no `)` would be searched to its end again and again.
  const lastClose = text.lastIndexOf(')');
  for (let at = text.indexOf('$'); at !== -1; at = text.indexOf('$', done)) {
    out += text.slice(done, at);
    if (text[at + 1] === '$') {
      out += '$';
      done = at + 2;
    } else if (text[at + 1] === '(' && lastClose > at) {
      const close = text.indexOf(')', at);
      out += valueOf(text.slice(at + 2, close)) ?? text.slice(at, close + 1);
      done = close + 1;
    } else {
      out += '$';
      done = at + 1;
    }
  }
  return out + text.slice(done);
}

/** Makes text survive one expansion byte for byte. */
export function escapeReferences(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/**
 * The final variables of a container, one per name. A reference sees only what is defined before it; a later
 * definition of a name replaces the value but keeps the place of the first. `fieldRef` gives the fields that are known
 * only now (status.podIP and the like); any other reference must have been resolved before, else `Invalid`.
 */
export function expandEnv(
  env: readonly EnvVar[],
  fieldRef: (fieldPath: string) => string | undefined,
  field = 'env',
): EnvEntry[] {
  const values = new Map<string, string>();
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    if (value || !valueFrom) {
      values.set(
        name,
        expandReferences(value ?? '', (other) => values.get(other)),
      );
      continue;
    }
    const path = valueFrom.fieldRef?.fieldPath;
    const known = path === undefined ? undefined : fieldRef(path);
    if (known === undefined) {
      const message = `variable "${name}" takes its value from a reference that is not resolved here`;
      throw new InterlinkError('Invalid', message, { field: `${field}[${index}].valueFrom` });
    }
    values.set(name, known);
  }
  return Array.from(values, ([name, value]) => ({ name, value }));
}

/** Command, args and exec probes: every variable of the container is known. */
export function expandText(text: string, env: ReadonlyMap<string, string>): string {
  return expandReferences(text, (name) => env.get(name));
}

/** A mount's subPathExpr. Unlike elsewhere an unknown variable is an error (`Invalid`), or pods would share a path. */
export function expandSubPath(expression: string, env: ReadonlyMap<string, string>, field: string): string {
  return expandReferences(expression, (name) => {
    const value = env.get(name);
    if (value === undefined) throw new InterlinkError('Invalid', `there is no variable "${name}"`, { field });
    return value;
  });
}

/**
 * For a classic plugin, which expands nothing: the pod with every value final. Call it on a pod whose references are
 * resolved (`resolveEnv`). `ip` is the pod's address or empty.
 */
export function expandPod(pod: Pod, ip: string): Pod {
  const ips = ip === '' ? [] : [ip];
  const addresses = { podIPs: ips, hostIPs: ips };
  const expandAll = (list: readonly Container[], field: string) =>
    list.map((container, index) => expandContainer(container, addresses, `${field}[${index}]`));
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: expandAll(containers, 'spec.containers'),
      ...(initContainers ? { initContainers: expandAll(initContainers, 'spec.initContainers') } : {}),
    },
  };
}

function expandContainer(container: Container, addresses: PodAddresses, field: string): Container {
  const env = expandEnv(container.env ?? [], (path) => startFieldValue(path, addresses), `${field}.env`);
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const expanded: Container = { ...container, env };
  if (container.command) expanded.command = container.command.map((text) => expandText(text, values));
  if (container.args) expanded.args = container.args.map((text) => expandText(text, values));
  if (container.volumeMounts) {
    expanded.volumeMounts = container.volumeMounts.map((mount, index) => {
      if (!mount.subPathExpr) return mount;
      const at = `${field}.volumeMounts[${index}].subPathExpr`;
      return { ...mount, subPath: expandSubPath(mount.subPathExpr, values, at), subPathExpr: undefined };
    });
  }
  return expanded;
}
