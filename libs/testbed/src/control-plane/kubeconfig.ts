import { readFile, writeFile } from 'node:fs/promises';
import type { CertificateFiles } from './certificate-authority.ts';

export interface KubeconfigContent {
  /** URL of the API server. */
  server: string;
  /** PEM. */
  authority: string;
  /** PEM, both. */
  certificate: string;
  key: string;
}

/** The text of a kubeconfig with one user, one cluster and nothing left in other files. JSON, which is YAML too. */
export function kubeconfigText({ server, authority, certificate, key }: KubeconfigContent): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'testbed', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name: 'user', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'user' } }],
    'current-context': 'testbed',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Writes a kubeconfig (0600) for the owner of a client certificate; returns its path. */
export async function writeKubeconfig(
  path: string,
  server: string,
  authorityFile: string,
  { certFile, keyFile }: CertificateFiles,
): Promise<string> {
  const [authority, certificate, key] = await Promise.all(
    [authorityFile, certFile, keyFile].map((file) => readFile(file, 'utf8')),
  );
  const text = kubeconfigText({ server, authority: authority ?? '', certificate: certificate ?? '', key: key ?? '' });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
