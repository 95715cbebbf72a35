import { createSecureContext } from 'node:tls';
import { fileStamp, readPrivateFile, readPublicFile, StartError, type Logger } from '@interlink/service-kit';
import { makeSelfSigned, type CertificateAndKey } from './self-signed-certificate.ts';

export interface ServingCertificate {
  current(): CertificateAndKey;
  /** Looks whether another one must be used by now; a failure is logged and changes nothing. */
  refresh(): Promise<void>;
}

export interface ServingCertificateOptions {
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly log: Logger;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

const lifetimeMs = 365 * 24 * 3_600_000;
/** When a self-signed one is replaced: at 80 % of its life. */
const renewAfterMs = 0.8 * lifetimeMs;

/**
 * The configured files, read again when they change; without them a self-signed certificate that exists in memory only.
 * @throws StartError for files that cannot be read or do not fit together
 */
export async function openServingCertificate(options: ServingCertificateOptions): Promise<ServingCertificate> {
  const { certFile, keyFile } = options;
  if (certFile !== undefined && keyFile !== undefined) return fromFiles(certFile, keyFile, options.log);
  if (certFile === undefined && keyFile === undefined) return selfSigned(options);
  throw new StartError('kubelet.certFile and kubelet.keyFile belong together: set both or none');
}

async function fromFiles(certFile: string, keyFile: string, log: Logger): Promise<ServingCertificate> {
  const stampOf = async () => (await Promise.all([certFile, keyFile].map(fileStamp))).join(' ');
  let stamp = await stampOf();
  let current = await read(certFile, keyFile);
  let failedAt: string | undefined;
  return {
    current: () => current,
    refresh: async () => {
      const now = await stampOf();
      if (now === stamp) return;
      try {
        current = await read(certFile, keyFile);
        stamp = now;
        log.info({ certFile }, 'kubelet certificate loaded again');
      } catch (err) {
        // Perhaps a renewal caught half-way: tried again, told once.
        if (failedAt !== now)
          log.error({ err, certFile }, 'changed kubelet certificate not loaded; the old one stays in use');
        failedAt = now;
      }
    },
  };
}

async function read(certFile: string, keyFile: string): Promise<CertificateAndKey> {
  const [cert, key] = await Promise.all([readPublicFile(certFile), readPrivateFile(keyFile)]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new StartError(`${certFile} and ${keyFile} are not a usable certificate and its key`, cause);
  }
  return { cert, key };
}

async function selfSigned({ nodeName, nodeIP, log, now }: ServingCertificateOptions): Promise<ServingCertificate> {
  const make = () => makeSelfSigned(nodeName, [nodeIP], new Date(now()), lifetimeMs);
  let madeAt = now();
  let current = await make();
  return {
    current: () => current,
    refresh: async () => {
      if (now() - madeAt < renewAfterMs) return;
      current = await make();
      madeAt = now();
      log.info('self-signed kubelet certificate renewed');
    },
  };
}
