import { X509Certificate } from 'node:crypto';
import { isNotFound, type KubeClient } from '@interlink/kube';
import { fileStamp, readPublicFile, StartError, type Logger } from '@interlink/service-kit';
import { z } from 'zod';

/** PEM of the CAs whose client certificates the cluster knows. */
export interface ClientCa {
  /** Undefined while none is known: then no client certificate counts. */
  current(): string | undefined;
  /** Looks whether it has changed, no more often than it is due; a failure is logged and changes nothing. */
  refresh(signal: AbortSignal): Promise<void>;
}

export interface ClientCaOptions {
  readonly client: KubeClient;
  /** Instead of what the cluster publishes. */
  readonly file?: string | undefined;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

const configMapPath = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const configMapKey = 'client-ca-file';
const configMapSchema = z.looseObject({ data: z.record(z.string(), z.string()).nullish() });
const timeoutMs = 10_000;
const refreshMs = 10 * 60_000;
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * From the file if one is configured, else from the ConfigMap that the API server keeps for its extensions.
 * @throws StartError for a file without certificates. A ConfigMap that cannot be read stops nothing: tokens still count.
 */
export async function openClientCa(options: ClientCaOptions, signal: AbortSignal): Promise<ClientCa> {
  return options.file === undefined ? fromCluster(options, signal) : fromFile(options.file, options.log);
}

async function fromFile(file: string, log: Logger): Promise<ClientCa> {
  let stamp = await fileStamp(file);
  let ca = checked(await readPublicFile(file), file);
  return {
    current: () => ca,
    refresh: async () => {
      const now = await fileStamp(file);
      if (now === stamp) return;
      stamp = now;
      try {
        ca = checked(await readPublicFile(file), file);
        log.info({ file }, 'client CA loaded again');
      } catch (err) {
        log.error({ err, file }, 'changed client CA not loaded; the old one stays in use');
      }
    },
  };
}

async function fromCluster({ client, log, now }: ClientCaOptions, signal: AbortSignal): Promise<ClientCa> {
  let ca: string | undefined;
  let due = -Infinity;
  const refresh = async (stop: AbortSignal) => {
    if (now() < due) return;
    try {
      const found = await readConfigMap(client, stop);
      due = now() + refreshMs;
      if (found === ca) return;
      ca = found;
      log.info('client CA of the cluster loaded');
    } catch (err) {
      if (stop.aborted) return;
      // Without one, kubectl logs does not work: that is tried again at the next occasion.
      if (ca !== undefined) due = now() + refreshMs;
      const consequence = ca === undefined ? 'client certificates do not count yet' : 'the old one stays in use';
      log.warn(
        { err, configMap: 'kube-system/extension-apiserver-authentication' },
        `client CA not read; ${consequence}`,
      );
    }
  };
  await refresh(signal);
  return { current: () => ca, refresh };
}

async function readConfigMap(client: KubeClient, signal: AbortSignal): Promise<string> {
  const advice = 'set kubelet.clientCaFile';
  try {
    const { data } = await client.get({ path: configMapPath, schema: configMapSchema, signal, timeoutMs });
    const text = data?.[configMapKey];
    if (text === undefined) throw new Error(`${configMapKey} is not in it, this cluster has no client CA: ${advice}`);
    return checked(text, configMapKey);
  } catch (cause) {
    throw isNotFound(cause) ? new Error(`this cluster does not publish its client CA: ${advice}`, { cause }) : cause;
  }
}

/** node:tls takes nonsense for "no CA" without a word. @throws StartError */
function checked(text: string, source: string): string {
  try {
    const blocks = text.match(pemBlock) ?? [];
    blocks.forEach((block) => new X509Certificate(block));
    if (blocks.length > 0) return text;
  } catch (cause) {
    throw new StartError(`${source} holds a certificate that cannot be read`, cause);
  }
  throw new StartError(`${source} holds no certificate (PEM)`);
}
