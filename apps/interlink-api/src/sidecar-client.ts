import { ContractClient, type ClientOptions } from '@interlink/contract';
import { readPrivateFile, readPublicFile, type ClientObserver } from '@interlink/service-kit';
import type { SidecarConfig } from './config.ts';

/** @throws StartError for files that are missing or that others can read. */
export async function connectSidecar(config: SidecarConfig, observe: ClientObserver): Promise<ContractClient> {
  const { site, endpoint, tls, keyFile } = config;
  const bearer = keyFile === undefined ? undefined : async () => (await readPrivateFile(keyFile)).trim();
  // Read once for the sake of the message: a wrong path shall end the start, not the first create.
  await bearer?.();
  return new ContractClient({
    leg: 'sidecar',
    peer: `sidecar of ${site}`,
    endpoint,
    observe,
    ...(tls === undefined ? {} : { tls: await readTls(tls) }),
    ...(bearer === undefined ? {} : { bearer }),
  });
}

async function readTls(tls: NonNullable<SidecarConfig['tls']>): Promise<NonNullable<ClientOptions['tls']>> {
  const { caFile, certFile, keyFile } = tls;
  return {
    ca: await readPublicFile(caFile),
    ...(certFile === undefined ? {} : { cert: await readPublicFile(certFile) }),
    ...(keyFile === undefined ? {} : { key: await readPrivateFile(keyFile) }),
  };
}
