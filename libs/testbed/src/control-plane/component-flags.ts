import type { CertificateFiles } from './certificate-authority.ts';

/** All that the command lines of a control plane are made of. */
export interface ControlPlaneLayout {
  etcdDataDir: string;
  ports: { etcd: number; etcdPeer: number; apiServer: number; controllerManager: number; scheduler: number };
  authority: CertificateFiles;
  /** For localhost; all three servers of the control plane use it. */
  serving: CertificateFiles;
  kubeletClient: CertificateFiles;
  frontProxy: CertificateFiles;
  serviceAccountKeys: { privateFile: string; publicFile: string };
  tokensFile: string;
  adminKubeconfig: string;
  schedulerKubeconfig: string;
}

const host = '127.0.0.1';

export function etcdFlags({ etcdDataDir, ports }: ControlPlaneLayout): string[] {
  const client = `http://${host}:${ports.etcd}`;
  const peer = `http://${host}:${ports.etcdPeer}`;
  return flags({
    'data-dir': etcdDataDir,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'log-level': 'warn',
    // Nothing in it outlives the control plane.
    'unsafe-no-fsync': 'true',
  });
}

export function apiServerFlags(layout: ControlPlaneLayout): string[] {
  const { ports, authority, serving, kubeletClient, frontProxy, serviceAccountKeys, tokensFile } = layout;
  return flags({
    'etcd-servers': `http://${host}:${ports.etcd}`,
    'bind-address': host,
    'secure-port': ports.apiServer,
    'tls-cert-file': serving.certFile,
    'tls-private-key-file': serving.keyFile,
    // The kubernetes Service may have no loopback address in its endpoints, and there is no other.
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': '10.96.0.0/16',
    'allow-privileged': 'true',
    'authorization-mode': 'Node,RBAC',
    'client-ca-file': authority.certFile,
    'token-auth-file': tokensFile,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': serviceAccountKeys.publicFile,
    'service-account-signing-key-file': serviceAccountKeys.privateFile,
    'kubelet-certificate-authority': authority.certFile,
    'kubelet-client-certificate': kubeletClient.certFile,
    'kubelet-client-key': kubeletClient.keyFile,
    'kubelet-preferred-address-types': 'InternalIP',
    'requestheader-client-ca-file': authority.certFile,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': frontProxy.certFile,
    'proxy-client-key-file': frontProxy.keyFile,
    'enable-aggregator-routing': 'true',
    profiling: 'false',
  });
}

export function controllerManagerFlags(layout: ControlPlaneLayout): string[] {
  const { ports, authority, serviceAccountKeys, adminKubeconfig } = layout;
  return flags({
    // One identity for all its loops starts seconds sooner than one for each, but then its own role is too small.
    ...componentFlags(layout, ports.controllerManager, adminKubeconfig),
    'service-account-private-key-file': serviceAccountKeys.privateFile,
    'root-ca-file': authority.certFile,
    'cluster-signing-cert-file': authority.certFile,
    'cluster-signing-key-file': authority.keyFile,
  });
}

export function schedulerFlags(layout: ControlPlaneLayout): string[] {
  return flags(componentFlags(layout, layout.ports.scheduler, layout.schedulerKubeconfig));
}

function componentFlags(
  { serving }: ControlPlaneLayout,
  port: number,
  kubeconfig: string,
): Record<string, string | number> {
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': host,
    'secure-port': port,
    'tls-cert-file': serving.certFile,
    'tls-private-key-file': serving.keyFile,
    'leader-elect': 'false',
    // The defaults (20 a second) are for a cluster shared with many; here they would be what a load test measures.
    'kube-api-qps': 1000,
    'kube-api-burst': 1000,
  };
}

function flags(values: Record<string, string | number>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
