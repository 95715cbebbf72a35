import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../cache.ts';
import { ensureGoProgram } from '../go-program.ts';
import { ownAddress } from '../own-address.ts';
import { freePorts } from '../ports.ts';
import { startProcess, type ManagedProcess } from '../process.ts';
import { TestbedError } from '../testbed-error.ts';
import { waitFor } from '../wait-for.ts';
import type { ControlPlane } from './control-plane.ts';

const sourceDir = fileURLToPath(new URL('../../metrics-server/', import.meta.url));
const account = 'metrics-server';
const namespace = 'kube-system';

/** The real metrics-server, registered with the cluster's aggregator; it acts as its service account, by token. */
export async function startMetricsServer(cluster: ControlPlane, dir: string): Promise<ManagedProcess> {
  const { server, clientCaFile } = cluster;
  const kubectl: ControlPlane['kubectl'] = (args, options) => cluster.kubectl(args, options);
  const { path: program } = await ensureGoProgram(cacheDir(), { name: 'metrics-server', sourceDir });
  const [port = 0] = await freePorts(1);
  // Endpoints may have no loopback address.
  const address = ownAddress();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const apply = async (objects: object[]) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const { code, stderr } = await kubectl(['apply', '-f', '-'], { input });
    if (code !== 0) throw new TestbedError(`the objects of metrics-server cannot be made: ${stderr}`);
  };
  await apply(rights());
  const { stdout: token } = await kubectl(['create', 'token', account, '-n', namespace]);
  const kubeconfig = join(dir, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority': clientCaFile } }],
    users: [{ name: 'u', user: { token: token.trim() } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  const process = await startProcess({
    name: 'metrics-server',
    argv: [
      program,
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--bind-address=${address}`,
      `--secure-port=${port}`,
      `--cert-dir=${dir}`,
      `--kubelet-certificate-authority=${clientCaFile}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--kubelet-use-node-status-port',
      '--metric-resolution=10s',
    ],
    env: {},
    logFile: join(dir, 'metrics-server.log'),
  });
  try {
    await apply(registration(address, port));
    const query = 'jsonpath={.status.conditions[?(@.type=="Available")].status}';
    await waitFor(
      'metrics.k8s.io to be available',
      async () => (await kubectl(['get', 'apiservice', 'v1beta1.metrics.k8s.io', '-o', query])).stdout === 'True',
      { timeoutMs: 90_000, intervalMs: 500, process },
    );
  } catch (error) {
    await process.kill();
    throw error;
  }
  return process;
}

/** As metrics-server's own manifest has them. */
function rights(): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  const binding = (name: string, role: string) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects,
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'system:metrics-server' },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    binding('system:metrics-server', 'system:metrics-server'),
    binding('metrics-server:system:auth-delegator', 'system:auth-delegator'),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'metrics-server-auth-reader', namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects,
    },
  ];
}

function registration(address: string, port: number): object[] {
  const ports = [{ name: 'https', port: 443, protocol: 'TCP' }];
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: account, namespace }, spec: { ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: account, namespace, labels: { 'kubernetes.io/service-name': account } },
      addressType: 'IPv4',
      ports: [{ name: 'https', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: account, namespace, port: 443 },
      },
    },
  ];
}
