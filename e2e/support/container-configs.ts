import { readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrFail, type ControlPlane, type VolumeFile } from '@interlink/testbed';
import { parse } from 'yaml';
import { z } from 'zod';
import { composeDir, secretsScript } from './compose.ts';

const rbacFile = fileURLToPath(new URL('../../deploy/vk-node/rbac.yaml', import.meta.url));
const configSchema = z.looseObject({
  site: z.string().optional(),
  sidecar: z.looseObject({ site: z.string() }).optional(),
});

export type SiteSecrets = Record<'tls.crt' | 'tls.key' | 'vk-node.key', string>;

/** Runs in `dir` what deploy/compose/README.md says. */
export async function makeSiteSecrets(dir: string): Promise<SiteSecrets> {
  const env = { ...process.env, SITE: 'IP:127.0.0.1' };
  await runOrFail(['sh', '-ec', await secretsScript()], { cwd: dir, env });
  const [certificate = '', tlsKey = '', key = ''] = await Promise.all(
    ['tls.crt', 'tls.key', 'vk-node.key'].map((name) => readFile(join(dir, 'secrets', name), 'utf8')),
  );
  return { 'tls.crt': certificate, 'tls.key': tlsKey, 'vk-node.key': key };
}

/** Copies a config of deploy/compose with another site: its own may be in use on this engine. @returns the copy's path. */
export async function withSite(file: string, site: string, dir: string): Promise<string> {
  const config = configSchema.parse(parse(await readFile(resolve(composeDir, file), 'utf8')));
  const { sidecar } = config;
  const changed = { ...config, ...(sidecar ? { sidecar: { ...sidecar, site } } : { site }) };
  const copy = join(dir, basename(file));
  await writeFile(copy, JSON.stringify(changed), { mode: 0o644 });
  return copy;
}

export interface VkNodeFilesOptions {
  readonly cluster: ControlPlane;
  readonly nodeName: string;
  readonly apiEndpoint: string;
  readonly secrets: SiteSecrets;
  readonly listen: string;
}

/** What /etc/interlink of a vk-node container holds, with its rights made in the cluster. */
export async function vkNodeFiles(options: VkNodeFilesOptions): Promise<VolumeFile[]> {
  const { cluster, nodeName, apiEndpoint, secrets, listen } = options;
  const address = '127.0.0.1';
  const [kubeconfig, certificate] = await Promise.all([
    cluster.userKubeconfig('interlink-vk-node'),
    cluster.serverCert(nodeName, [address]),
  ]);
  const applied = await cluster.kubectl(['apply', '-f', '-'], { input: await readFile(rbacFile, 'utf8') });
  if (applied.code !== 0) throw new Error(`the role of vk-node cannot be made: ${applied.stderr}`);
  const folder = '/etc/interlink';
  const config = {
    // Of plain pods, that tolerate nothing: so that they land here.
    node: { name: nodeName, address, taints: [] },
    kubeconfig: `${folder}/kubeconfig`,
    api: { endpoint: apiEndpoint, tls: { caFile: `${folder}/site-ca.crt` }, keyFile: `${folder}/vk-node.key` },
    kubelet: { host: address, port: 0, certFile: `${folder}/kubelet.crt`, keyFile: `${folder}/kubelet.key` },
    listen: [{ address: listen }],
  };
  const copy = async (path: string, from: string) => ({ path, content: await readFile(from, 'utf8') });
  return [
    { path: 'config.yaml', content: JSON.stringify(config) },
    { path: 'site-ca.crt', content: secrets['tls.crt'] },
    { path: 'vk-node.key', content: secrets['vk-node.key'] },
    await copy('kubeconfig', kubeconfig),
    await copy('kubelet.crt', certificate.certFile),
    await copy('kubelet.key', certificate.keyFile),
  ];
}
