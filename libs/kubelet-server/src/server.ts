import type { Server } from 'node:https';
import { StartError, startFailure, type Logger, type Metrics } from '@interlink/service-kit';
import { createAdmission, type AdmissionOptions } from './admission.ts';
import { createKubeletApp } from './kubelet-app.ts';
import type { KubeletProvider } from './provider.ts';
import { StatsSource } from './stats/stats-source.ts';
import { UpgradeServer } from './streaming/upgrade-server.ts';
import { createTlsListener, type KubeletTls } from './tls-listener.ts';

export interface KubeletServerOptions extends Omit<AdmissionOptions, 'clientCertificate'> {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly tls: KubeletTls;
  readonly provider: KubeletProvider;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How long a stop waits for answers in flight, in ms; default 3 s, because a followed log would never end. */
  readonly drainMs?: number;
}

export interface KubeletServer {
  readonly port: number;
  /** Puts another certificate or client CA into use. @throws Error of node:tls; then nothing changes. */
  updateTls(tls: KubeletTls): void;
  /** Accepts nothing new, waits for what is in flight, cuts what is left at the bound. The same promise each time. */
  stop(): Promise<void>;
}

const defaultDrainMs = 3_000;

/** The kubelet's API on one port. @throws StartError that says which address and why. */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { nodeName, host, port, tls, provider, log, metrics, drainMs = defaultDrainMs } = options;
  const listener = createTlsListener(tls, {
    request: (request, response) => void app(request, response),
    upgrade: (request, socket, head) => upgrades.handle(request, socket, head),
  });
  const admit = createAdmission({ ...options, clientCertificate: listener.clientCertificate });
  const stopped = new AbortController();
  const stats = new StatsSource(provider, () => performance.now(), stopped.signal);
  const bound = { port };
  const served = { nodeName, address: host, port: () => bound.port };
  const app = createKubeletApp({ ...served, admit, provider, stats, log, metrics });
  const upgrades = new UpgradeServer({ admit, provider, log, metrics });

  bound.port = await bind(listener.server, host, port);
  log.info({ host, port: bound.port }, 'kubelet API listening');
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    stopped.abort();
    await Promise.all([upgrades.stop(), listener.drain(drainMs)]);
  };
  return {
    port: bound.port,
    updateTls: listener.update,
    stop: () => (stopping ??= stop()),
  };
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    throw new StartError(`the kubelet API cannot listen on ${host}:${port}: ${startFailure(cause)}`, cause);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
