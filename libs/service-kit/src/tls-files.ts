import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { TlsConfig } from './listen.ts';
import { fileStamp, readPrivateFile, readPublicFile } from './private-file.ts';
import { StartError, startFailure } from './start-error.ts';

const recheckMs = 60_000;

/** @throws StartError for files that cannot be read or do not fit together. */
export async function readTls({ certFile, keyFile, clientCaFile }: TlsConfig): Promise<SecureContextOptions> {
  const [cert, key, ca] = await Promise.all([
    readPublicFile(certFile),
    readPrivateFile(keyFile),
    clientCaFile === undefined ? undefined : readPublicFile(clientCaFile),
  ]);
  const options: SecureContextOptions = { cert, key, ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2' };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new StartError(
      `${certFile} and ${keyFile} are not a usable certificate and its key: ${startFailure(cause)}`,
      cause,
    );
  }
  return options;
}

/**
 * Loads the files again when they have changed, until the returned function is called. A set that does not fit together
 * (a renewal caught half-way) changes nothing and is tried again.
 */
export function reloadTls(server: Server, tls: TlsConfig, log: Logger, everyMs = recheckMs): () => void {
  let loaded: string | undefined;
  const check = async () => {
    const files = [tls.certFile, tls.keyFile, ...(tls.clientCaFile === undefined ? [] : [tls.clientCaFile])];
    const stamp = (await Promise.all(files.map(fileStamp))).join(' ');
    if (loaded === undefined) loaded = stamp;
    if (stamp === loaded) return;
    server.setSecureContext(await readTls(tls));
    loaded = stamp;
    log.info({ certFile: tls.certFile }, 'certificates loaded again');
  };
  const run = () => {
    check().catch((err: unknown) => log.error({ err }, 'changed certificates not loaded; the old ones stay in use'));
  };
  run();
  const timer = setInterval(run, everyMs).unref();
  return () => clearInterval(timer);
}
