import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { type Cluster, KubeConfig, loadYaml, type User } from '@kubernetes/client-node';
import { z } from 'zod';
import { KubeconfigError } from './errors.ts';

export interface KubeconfigChoice {
  /** Path of a kubeconfig. Without it: $KUBECONFIG, else ~/.kube/config, else the pod's service account. */
  kubeconfig?: string | undefined;
  /** A context of it other than the current one. */
  context?: string | undefined;
}

/** One cluster and one user, ready for `applyToHTTPSOptions`. */
export interface LoadedKubeconfig {
  config: KubeConfig;
  /** Base URL without a slash at the end. */
  server: string;
  /** The context's default namespace. */
  namespace: string | undefined;
  /** User names, groups and extras to act as, which client-node does not send. */
  headers: Readonly<Record<string, string | string[]>>;
}

/** Fields of a user entry that client-node drops without a word. */
const userEntrySchema = z.looseObject({
  name: z.string(),
  user: z.looseObject({ tokenFile: z.string().optional(), 'as-groups': z.array(z.string()).optional() }).nullish(),
});

const usersSchema = z.looseObject({ users: z.array(z.unknown()).nullish() });

/** @throws KubeconfigError naming the file */
export function loadKubeconfig({ kubeconfig, context }: KubeconfigChoice): LoadedKubeconfig {
  const files = kubeconfig === undefined ? defaultFiles() : [kubeconfig];
  const source = files.length > 0 ? `kubeconfig ${files.join(', ')}` : 'in-cluster service account';
  const config = readConfig(files, source);
  const chosen = config.getContextObject(context ?? config.getCurrentContext());
  if (!chosen)
    throw new KubeconfigError(
      `${source}: no context ${context ?? (config.getCurrentContext() || '(current-context is not set)')}`,
    );
  const cluster = config.getCluster(chosen.cluster);
  if (!cluster)
    throw new KubeconfigError(`${source}: context ${chosen.name} names an unknown cluster ${chosen.cluster}`);
  if (cluster.proxyUrl) throw new KubeconfigError(`${source}: proxy-url of cluster ${cluster.name} is not supported`);
  const user: User = config.getUser(chosen.user) ?? { name: 'anonymous' };
  const extra = extraFields(files, user.name);

  // client-node ignores the CA when there is no user, and refuses plain http unless told to skip TLS verification.
  const usable: Cluster = { ...cluster, skipTLSVerify: cluster.skipTLSVerify || cluster.server.startsWith('http:') };
  const one = new KubeConfig();
  one.loadFromClusterAndUser(usable, extra.tokenFile === undefined ? user : withTokenFile(user, extra.tokenFile));
  return {
    config: one,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: chosen.namespace,
    headers: extra.groups.length > 0 ? { 'Impersonate-Group': extra.groups } : {},
  };
}

function defaultFiles(): string[] {
  const named = (process.env['KUBECONFIG'] ?? '').split(path.delimiter).filter(Boolean);
  // As kubectl: of several files, those that do not exist are skipped.
  if (named.length > 1) return named.filter((file) => existsSync(file));
  if (named.length === 1) return named;
  const home = path.join(homedir(), '.kube', 'config');
  return existsSync(home) ? [home] : [];
}

function readConfig(files: readonly string[], source: string): KubeConfig {
  const config = new KubeConfig();
  const [first, ...others] = files;
  if (first === undefined) {
    if (!process.env['KUBERNETES_SERVICE_HOST']) {
      throw new KubeconfigError(
        'no kubeconfig: none given, neither $KUBECONFIG nor ~/.kube/config exists, and this is not a pod',
      );
    }
    config.loadFromCluster();
    return config;
  }
  try {
    config.loadFromFile(first);
    for (const file of others) {
      const next = new KubeConfig();
      next.loadFromFile(file);
      config.mergeConfig(next, true);
    }
  } catch (error) {
    throw new KubeconfigError(`${source}: ${readFailure(error)}`);
  }
  return config;
}

/** A YAML error quotes the text around it, and a kubeconfig is full of secrets: only its first line is told. */
function readFailure(error: unknown): string {
  if (!(error instanceof Error) || error instanceof TypeError) return 'not a kubeconfig';
  if (error.name === 'YAMLException') return `not valid YAML: ${(error.message.split('\n')[0] ?? '').slice(0, 200)}`;
  return error.message;
}

function extraFields(files: readonly string[], user: string): { tokenFile: string | undefined; groups: string[] } {
  for (const file of files) {
    const { users } = usersSchema.catch({ users: [] }).parse(loadYaml(readFileSync(file, 'utf8')));
    for (const raw of users ?? []) {
      const entry = userEntrySchema.safeParse(raw);
      if (!entry.success || entry.data.name !== user) continue;
      const tokenFile = entry.data.user?.tokenFile;
      return {
        tokenFile: tokenFile === undefined ? undefined : path.resolve(path.dirname(file), tokenFile),
        groups: entry.data.user?.['as-groups'] ?? [],
      };
    }
  }
  return { tokenFile: undefined, groups: [] };
}

/** As an auth provider, client-node reads the file again once a minute; `token` would win over it, as a fixed one. */
function withTokenFile(user: User, tokenFile: string): User {
  return { ...user, token: undefined, authProvider: { name: 'tokenFile', config: { tokenFile } } };
}
