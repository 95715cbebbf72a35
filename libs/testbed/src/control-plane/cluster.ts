import { type CommandResult, runCommand, runOrFail } from '../command.ts';
import { cacheDir } from '../cache.ts';
import { TestbedError } from '../testbed-error.ts';
import type { CertificateFiles } from './certificate-authority.ts';
import { ensureKubeAll } from './kube-all.ts';

export interface KubectlOptions {
  /** Given to standard input, for `-f -`. */
  input?: string;
  /** Default 60 s. */
  timeoutMs?: number;
}

/** A cluster that tests and tools work on; what only its owner can give is undefined for one that is not ours. */
export interface Cluster {
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly clientCaFile: string | undefined;
  readonly adminToken: string | undefined;
  /** kubectl as administrator. A bad exit code is a result, not a failure. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<CommandResult>;
  /** A serving certificate for the kubelet port of a node, which the API server trusts. */
  serverCert(nodeName: string, ips: readonly string[]): Promise<CertificateFiles | undefined>;
  /** A kubeconfig (0600) for a user by client certificate. Rights come with RBAC bindings to the user or its groups. */
  userKubeconfig(name: string, groups?: readonly string[]): Promise<string | undefined>;
  /** Ends the cluster if it is ours. */
  stop(): Promise<void>;
}

/** The cluster of $KUBECONFIG; undefined where that is not set. */
export async function useCluster(env: NodeJS.ProcessEnv = process.env): Promise<Cluster | undefined> {
  const kubeconfig = env.KUBECONFIG;
  if (!kubeconfig) return undefined;
  if (kubeconfig.includes(':')) throw new TestbedError('KUBECONFIG names several files; name one');
  const command = await kubectlCommand(env);
  const kubectl = kubectlFor(command, kubeconfig);
  const jsonpath = 'jsonpath={.clusters[0].cluster.server}';
  const server = await runOrFail([
    ...command,
    '--kubeconfig',
    kubeconfig,
    'config',
    'view',
    '--minify',
    '-o',
    jsonpath,
  ]);
  const ready = await kubectl(['get', '--raw', '/readyz'], { timeoutMs: 20_000 });
  if (ready.code !== 0) throw new TestbedError(`the cluster of ${kubeconfig} does not answer: ${ready.stderr.trim()}`);
  return {
    kubeconfig,
    server,
    clientCaFile: undefined,
    adminToken: undefined,
    kubectl,
    serverCert: () => Promise.resolve(undefined),
    userKubeconfig: () => Promise.resolve(undefined),
    stop: () => Promise.resolve(),
  };
}

/** Runs a kubectl command line on the cluster of a kubeconfig. */
export function kubectlFor(command: readonly string[], kubeconfig: string): Cluster['kubectl'] {
  return (args, options) => runCommand([...command, '--kubeconfig', kubeconfig, ...args], options);
}

/** The machine's own kubectl is good enough for a cluster of any version near its own, and needs no build. */
async function kubectlCommand(env: NodeJS.ProcessEnv): Promise<string[]> {
  const found = await runCommand(['kubectl', 'version', '--client'], { timeoutMs: 20_000 }).catch(() => undefined);
  return found?.code === 0 ? ['kubectl'] : [await ensureKubeAll(cacheDir(env)), 'kubectl'];
}
