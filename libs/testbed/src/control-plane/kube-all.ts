import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../cache.ts';
import { ensureGoProgram } from '../go-program.ts';
import { TestbedError } from '../testbed-error.ts';

const sourceDir = fileURLToPath(new URL('../../control-plane/', import.meta.url));

/** The program that holds etcd, the control plane and kubectl: built once, then found in the cache. Returns its path. */
export async function ensureKubeAll(cache: string = cacheDir()): Promise<string> {
  const ldflags = versionFlags(kubernetesVersion(await readFile(join(sourceDir, 'go.mod'), 'utf8')));
  const hint = 'etcd, the Kubernetes control plane and kubectl; about ten minutes on two cores, the first time only';
  return (await ensureGoProgram(cache, { name: 'kube-all', sourceDir, ldflags, hint })).path;
}

/** The version of k8s.io/kubernetes that a go.mod requires, as v1.2.3. */
export function kubernetesVersion(goMod: string): string {
  const version = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+\S*)/m.exec(goMod)?.[1];
  if (version === undefined) throw new TestbedError('go.mod requires no k8s.io/kubernetes');
  return version;
}

/** Kubernetes' release builds set these; without them every part says that it is v0.0.0-master. */
function versionFlags(version: string): string[] {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
  };
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((pkg) =>
    Object.entries(values).map(([name, value]) => `-X ${pkg}.${name}=${value}`),
  );
}
