import { type Clock, type KubeClient, sleep, systemClock } from '@interlink/kube';
import {
  startKubeletServer,
  type KubeletProvider,
  type KubeletServer,
  type KubeletTls,
} from '@interlink/kubelet-server';
import type { Logger, Metrics } from '@interlink/service-kit';
import { createAccessReview } from './access-review.ts';
import { openClientCa, type ClientCa } from './client-ca.ts';
import { openServingCertificate, type ServingCertificate } from './serving-certificate.ts';
import { createTokenReview } from './token-review.ts';

export interface KubeletOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Without both: self-signed. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Without: what the cluster publishes. */
  readonly clientCaFile?: string | undefined;
  readonly provider: KubeletProvider;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Ends the renewal of certificates, and a start that still waits for the API server. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export interface Kubelet {
  readonly port: number;
  stop(): Promise<void>;
}

/** How often certificates are looked at, ms. */
const lookMs = 60_000;

/** The node's kubelet API, with the cluster as the judge of who may call. @throws StartError */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, nodeName, host, port, clientCaFile, provider, log, metrics, signal, clock = systemClock } = options;
  const now = () => clock.now();
  const certificate = await openServingCertificate({ ...options, now: () => clock.date().getTime() });
  const clientCa = await openClientCa({ client, file: clientCaFile, log, now }, signal);
  const server = await startKubeletServer({
    nodeName,
    host,
    port,
    tls: tlsOf(certificate, clientCa),
    provider,
    authenticateToken: createTokenReview(client, now),
    authorize: createAccessReview(client, now),
    log,
    metrics,
  });
  const stopped = new AbortController();
  const life = AbortSignal.any([signal, stopped.signal]);
  const renewal = keepFresh(server, certificate, clientCa, { life, log, clock });
  return {
    port: server.port,
    stop: async () => {
      stopped.abort();
      await Promise.all([renewal, server.stop()]);
    },
  };
}

async function keepFresh(
  server: KubeletServer,
  certificate: ServingCertificate,
  clientCa: ClientCa,
  { life, log, clock }: { life: AbortSignal; log: Logger; clock: Clock },
): Promise<void> {
  let used = tlsOf(certificate, clientCa);
  for (;;) {
    await sleep(lookMs * (0.75 + 0.5 * Math.random()), life, clock);
    if (life.aborted) return;
    try {
      await Promise.all([certificate.refresh(), clientCa.refresh(life)]);
      const next = tlsOf(certificate, clientCa);
      if (next.cert === used.cert && next.key === used.key && next.clientCa === used.clientCa) continue;
      server.updateTls(next);
      used = next;
    } catch (err) {
      log.error({ err }, 'kubelet certificates not renewed; the old ones stay in use');
    }
  }
}

function tlsOf(certificate: ServingCertificate, clientCa: ClientCa): KubeletTls {
  return { ...certificate.current(), clientCa: clientCa.current() };
}
