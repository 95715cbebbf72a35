import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheDir } from '../cache.ts';
import { freePorts } from '../ports.ts';
import { type ManagedProcess, startProcess } from '../process.ts';
import { waitFor } from '../wait-for.ts';
import {
  type CertificateAuthority,
  type CertificateFiles,
  createCertificateAuthority,
} from './certificate-authority.ts';
import { type Cluster, kubectlFor } from './cluster.ts';
import {
  apiServerFlags,
  type ControlPlaneLayout,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
} from './component-flags.ts';
import { answersOk } from './https-probe.ts';
import { ensureKubeAll } from './kube-all.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export interface ControlPlaneOptions {
  /** Holds everything of this control plane: keys, kubeconfigs, etcd's data, logs. An earlier one there is replaced. */
  dir: string;
  /** For messages and the authority's name. */
  name: string;
  cache?: string;
}

/** A control plane that we started: all that a cluster's owner can give is there. */
export interface ControlPlane extends Cluster {
  readonly clientCaFile: string;
  readonly adminToken: string;
  serverCert(nodeName: string, ips: readonly string[]): Promise<CertificateFiles>;
  userKubeconfig(name: string, groups?: readonly string[]): Promise<string>;
}

const maxAttempts = 3;
const startTimeoutMs = 120_000;
// The API server keeps every object several times over; without a bound it grows to gigabytes on a small machine.
// Collected seldom instead: every second spent on that is one less for what is tested.
const apiServerMemory = { GOGC: '400', GOMEMLIMIT: '2GiB' };

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler on free ports of 127.0.0.1, with an authority
 * of their own. Returns once pods can be created (the default service account is there).
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryControlPlane(options);
    } catch (error) {
      // Another process can take a port between our look at it and the start of its server.
      if (attempt === maxAttempts || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function tryControlPlane({ dir, name, cache = cacheDir() }: ControlPlaneOptions): Promise<ControlPlane> {
  const program = await ensureKubeAll(cache);
  const root = resolve(dir);
  const { layout, authority, server, adminToken } = await prepare(root, name);
  const processes: ManagedProcess[] = [];
  const stop = async () => {
    // Nothing in it is kept, so nothing need be written down: no grace.
    await Promise.all(processes.map((process) => process.kill()));
  };
  const start = async (part: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const process = await startProcess({
      name: `${part} of ${name}`,
      argv: [program, part, ...flags],
      // No proxy and no kubeconfig of the user's.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
      cwd: root,
      logFile: join(root, 'logs', `${part}.log`),
    });
    processes.push(process);
    return process;
  };
  const authorityPem = await readFile(authority.certFile, 'utf8');
  const until = (process: ManagedProcess, url: string) =>
    waitFor(process.name, (signal) => answersOk({ url, authority: authorityPem, token: adminToken, signal }), {
      timeoutMs: startTimeoutMs,
      process,
    });
  try {
    const { ports } = layout;
    const etcd = await start('etcd', etcdFlags(layout));
    await waitFor(etcd.name, (signal) => etcdHealthy(ports.etcd, signal), { timeoutMs: startTimeoutMs, process: etcd });
    const apiServer = await start('kube-apiserver', apiServerFlags(layout), apiServerMemory);
    await until(apiServer, `${server}/readyz`);
    const [controllers, scheduler] = await Promise.all([
      start('kube-controller-manager', controllerManagerFlags(layout)),
      start('kube-scheduler', schedulerFlags(layout)),
    ]);
    await Promise.all([
      until(controllers, `https://127.0.0.1:${ports.controllerManager}/healthz`),
      until(scheduler, `https://127.0.0.1:${ports.scheduler}/healthz`),
      until(controllers, `${server}/api/v1/namespaces/default/serviceaccounts/default`),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig: layout.adminKubeconfig,
    server,
    clientCaFile: authority.certFile,
    adminToken,
    kubectl: kubectlFor([program, 'kubectl'], layout.adminKubeconfig),
    serverCert: (nodeName, ips) =>
      authority.issue(`node-${nodeName}`, {
        commonName: `system:node:${nodeName}`,
        organizations: ['system:nodes'],
        usages: ['serverAuth'],
        dnsNames: [nodeName],
        ips,
      }),
    userKubeconfig: async (user, groups = []) => {
      const request = { commonName: user, organizations: groups, usages: ['clientAuth'] as const };
      const files = await authority.issue(`user-${user}`, request);
      return await writeKubeconfig(join(root, `user-${user}.kubeconfig`), server, authority.certFile, files);
    },
    stop,
  };
}

interface Prepared {
  layout: ControlPlaneLayout;
  authority: CertificateAuthority;
  server: string;
  adminToken: string;
}

/** Everything that must be there before the first process starts. */
async function prepare(root: string, name: string): Promise<Prepared> {
  const pki = join(root, 'pki');
  const etcdDataDir = join(root, 'etcd');
  for (const old of [pki, etcdDataDir, join(root, 'logs')]) await rm(old, { recursive: true, force: true });
  await mkdir(root, { recursive: true, mode: 0o700 });
  const [authority, [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0, scheduler = 0]] = await Promise.all([
    createCertificateAuthority(pki, `testbed-${name}`),
    freePorts(5),
  ]);
  const client = (commonName: string, ...organizations: string[]) =>
    authority.issue(`client-${commonName}`, { commonName, organizations, usages: ['clientAuth'] });
  const [serving, admin, schedulerClient, kubeletClient, frontProxy] = await Promise.all([
    authority.issue('serving', {
      commonName: 'kube-apiserver',
      usages: ['serverAuth'],
      dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ips: ['127.0.0.1', '10.96.0.1'],
    }),
    client('admin', 'system:masters'),
    client('system:kube-scheduler'),
    client('kube-apiserver-kubelet-client', 'system:masters'),
    client('front-proxy-client'),
  ]);
  const server = `https://127.0.0.1:${apiServer}`;
  const kubeconfig = (file: string, files: CertificateFiles) =>
    writeKubeconfig(join(root, file), server, authority.certFile, files);
  const adminToken = randomBytes(24).toString('hex');
  const tokensFile = join(pki, 'tokens.csv');
  await writeFile(tokensFile, `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const layout: ControlPlaneLayout = {
    etcdDataDir,
    ports: { etcd, etcdPeer, apiServer, controllerManager, scheduler },
    authority,
    serving,
    kubeletClient,
    frontProxy,
    serviceAccountKeys: await writeServiceAccountKeys(pki),
    tokensFile,
    adminKubeconfig: await kubeconfig('admin.kubeconfig', admin),
    schedulerKubeconfig: await kubeconfig('scheduler.kubeconfig', schedulerClient),
  };
  return { layout, authority, server, adminToken };
}

async function writeServiceAccountKeys(pki: string): Promise<ControlPlaneLayout['serviceAccountKeys']> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const files = { privateFile: join(pki, 'service-account.key'), publicFile: join(pki, 'service-account.pub') };
  await writeFile(files.privateFile, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(files.publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
  return files;
}

async function etcdHealthy(port: number, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health`, { signal });
  await response.body?.cancel();
  return response.ok;
}
