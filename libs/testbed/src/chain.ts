import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from './control-plane/cluster.ts';
import type { Engine } from './docker/engine.ts';
import { ensureSandboxImage } from './docker/sandbox-image.ts';
import { Service } from './service.ts';
import { removeSite } from './site-leftovers.ts';
import { TestbedError } from './testbed-error.ts';
import { waitFor } from './wait-for.ts';

const rbacFile = fileURLToPath(new URL('../../../deploy/vk-node/rbac.yaml', import.meta.url));

export interface ChainOptions {
  readonly cluster: Cluster;
  readonly engine: Engine;
  readonly nodeName: string;
  /** Of the node; default loopback, to which the kube-apiserver proxies no requests for users. */
  readonly address?: string;
  /** The Docker site's name; must differ from every other one on this engine. */
  readonly site: string;
  /** Keys of the services' configs that differ from the usual. */
  readonly vkNode?: Record<string, unknown>;
  readonly api?: Record<string, unknown>;
  readonly sidecar?: Record<string, unknown>;
  /** Folder of built services, APP/main.mjs each; default: they run from their sources. */
  readonly programs?: string | undefined;
}

/** vk-node, interlink-api and docker-sidecar as three processes, joined by unix sockets in a folder of their own. */
export interface Chain {
  readonly dir: string;
  readonly site: string;
  readonly nodeName: string;
  readonly vkNode: Service;
  readonly api: Service;
  readonly sidecar: Service;
  /** Ends the three and removes all that they left on the engine. @returns how much that was. */
  stop(): Promise<number>;
}

async function dockerSidecar({ engine, site, sidecar = {}, programs }: ChainOptions, dir: string): Promise<Service> {
  const sandboxImage = await ensureSandboxImage(engine.docker);
  return new Service({
    app: 'docker-sidecar',
    programs,
    dir,
    config: {
      site,
      engineSocket: engine.socketPath,
      spool: join(dir, 'spool'),
      sandboxImage,
      podIPsRoutable: true,
      ...sidecar,
    },
  });
}

export function startChain(options: ChainOptions): Promise<Chain> {
  return startChainOf({
    ...options,
    makeSidecar: (dir) => dockerSidecar(options, dir),
    removeLeftovers: () => removeSite(options.engine.docker, options.site),
  });
}

export interface ChainOfOptions extends Omit<ChainOptions, 'engine' | 'sidecar'> {
  /** Makes the sidecar, without starting it, in the chain's own folder. */
  readonly makeSidecar: (dir: string) => Promise<Service>;
  /** What the sidecar's site may keep after the three have ended. @returns how much that was. */
  readonly removeLeftovers: () => Promise<number>;
}

/** A chain with any sidecar. */
export async function startChainOf(options: ChainOfOptions): Promise<Chain> {
  const { cluster, nodeName, site } = options;
  const dir = await mkdtemp(join(tmpdir(), 'interlink-'));
  const sidecar = await options.makeSidecar(dir);
  const api = new Service({
    app: 'interlink-api',
    programs: options.programs,
    dir,
    config: { sidecar: { site, endpoint: sidecar.endpoint }, ...options.api },
  });
  const vkNode = await vkNodeService(options, api, dir);
  const stop = async () => {
    await vkNode.stop();
    await api.stop();
    await sidecar.stop();
    const left = await options.removeLeftovers();
    await rm(dir, { recursive: true, force: true });
    return left;
  };
  try {
    await Promise.all([sidecar.start(), api.start(), vkNode.start()]);
    await nodeReady(cluster, vkNode, nodeName);
    return { dir, site, nodeName, vkNode, api, sidecar, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface VkNodeOptions extends Pick<ChainOptions, 'cluster' | 'nodeName' | 'address' | 'vkNode'> {
  readonly api: Service;
  readonly dir: string;
}

/** One more vk-node in front of an API that runs already, for another cluster or under another name. */
export async function startVkNode({ api, dir, ...options }: VkNodeOptions): Promise<Service> {
  const vkNode = await vkNodeService(options, api, dir);
  await vkNode.start();
  await nodeReady(options.cluster, vkNode, options.nodeName);
  return vkNode;
}

async function vkNodeService(
  options: Pick<ChainOptions, 'cluster' | 'nodeName' | 'address' | 'vkNode' | 'programs'>,
  api: Service,
  dir: string,
): Promise<Service> {
  return new Service({
    app: 'vk-node',
    programs: options.programs,
    dir,
    config: await vkNodeConfig(options, api.endpoint),
  });
}

async function nodeReady(cluster: Cluster, vkNode: Service, nodeName: string): Promise<void> {
  await vkNode.ready();
  await waitFor(`node ${nodeName} to be there, with its site`, () => nodeIsUp(cluster, nodeName), {
    timeoutMs: 30_000,
    intervalMs: 100,
  });
}

async function vkNodeConfig(
  {
    cluster,
    nodeName,
    address = '127.0.0.1',
    vkNode = {},
  }: Pick<ChainOptions, 'cluster' | 'nodeName' | 'address' | 'vkNode'>,
  apiEndpoint: string,
): Promise<Record<string, unknown>> {
  const user = 'interlink-vk-node';
  const kubeconfig = (await cluster.userKubeconfig(user)) ?? cluster.kubeconfig;
  const applied = await cluster.kubectl(['apply', '-f', '-'], { input: await readFile(rbacFile, 'utf8') });
  if (applied.code !== 0) throw new TestbedError(`the role of vk-node cannot be made: ${applied.stderr}`);
  const certificate = await cluster.serverCert(nodeName, [address]);
  return {
    // Of plain pods, that tolerate nothing: so that they land here.
    node: { name: nodeName, address, taints: [] },
    kubeconfig,
    api: { endpoint: apiEndpoint },
    kubelet: {
      host: address,
      port: 0,
      ...(certificate ? { certFile: certificate.certFile, keyFile: certificate.keyFile } : {}),
    },
    ...vkNode,
  };
}

async function nodeIsUp(cluster: Cluster, nodeName: string): Promise<boolean> {
  const query =
    'jsonpath={.status.conditions[?(@.type=="InterlinkConnectivity")].status} {.status.capacity.cpu} {.spec.taints[*].key}';
  const { stdout } = await cluster.kubectl(['get', 'node', nodeName, '-o', query]);
  const [connected, cpu, ...taints] = stdout.trim().split(/\s+/);
  return connected === 'True' && cpu !== '0' && !taints.includes('node.kubernetes.io/not-ready');
}
