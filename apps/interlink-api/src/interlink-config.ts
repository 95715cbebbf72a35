import type { Alias, Translation } from '@interlink/service-kit';
import { z } from 'zod';

const text = z.union([z.string(), z.number()]).transform(String).optional();
const foreignSchema = z.looseObject({
  InterlinkAddress: text,
  InterlinkPort: text,
  SidecarURL: text,
  SidecarPort: text,
  VerboseLogging: z.boolean().optional(),
  ErrorsOnlyLogging: z.boolean().optional(),
  TLS: z.looseObject({ Enabled: z.boolean().optional(), CertFile: text, KeyFile: text, CACertFile: text }).optional(),
});

const ignored = {
  DataRootFolder: 'nothing is kept here',
  JobScriptTemplate: "job scripts are the sidecar's business",
  JobScriptBuildConfig: "job scripts are the sidecar's business",
  ExportPodData: "a pod's data always travels with it",
  Namespace: 'all namespaces are served',
  VKConfigPath: 'vk-node has its own file',
  Pprof: 'use the options of Node.js',
};

/** interLink's `InterLinkConfig.yaml` of the API server and its environment, in our terms. */
export function fromInterlink(
  file: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): Translation {
  const parsed = foreignSchema.safeParse(file);
  const foreign = parsed.success ? parsed.data : {};
  const { TLS: tls, VerboseLogging, ErrorsOnlyLogging } = foreign;
  const aliases: Alias[] = [];
  const add = (from: string, path: string, value: unknown) => {
    if (value !== undefined && value !== '') aliases.push({ from, path, value });
  };
  const named = (variable: string, key: 'InterlinkAddress' | 'InterlinkPort' | 'SidecarURL' | 'SidecarPort') =>
    env[variable] ? { from: variable, value: env[variable] } : { from: key, value: foreign[key] };

  const address = named('INTERLINKURL', 'InterlinkAddress');
  const port = named('INTERLINKPORT', 'InterlinkPort');
  add(address.from, 'listen.0.address', withPort(address.value, port.value));
  if (address.value !== undefined)
    add(port.from, 'listen.0.address', port.value && withPort(address.value, port.value));
  if (tls?.Enabled) {
    add('TLS', 'listen.0.tls.certFile', tls.CertFile);
    add('TLS', 'listen.0.tls.keyFile', tls.KeyFile);
    add('TLS', 'listen.0.tls.clientCaFile', tls.CACertFile);
    // Whoever that CA has signed may call, as at interLink's.
    if (tls.CACertFile) add('TLS', 'listen.0.clients', [{ name: 'interlink', san: '*', owners: ['*'] }]);
  } else if (tls !== undefined) add('TLS', 'listen.0.tls', undefined);
  const sidecar = named('SIDECARURL', 'SidecarURL');
  const sidecarPort = named('SIDECARPORT', 'SidecarPort');
  add(sidecar.from, 'sidecar.endpoint', withPort(sidecar.value, sidecarPort.value));
  if (sidecar.value !== undefined) {
    add(sidecarPort.from, 'sidecar.endpoint', sidecarPort.value && withPort(sidecar.value, sidecarPort.value));
    add(sidecar.from, 'sidecar.site', 'site');
  }
  if (VerboseLogging !== undefined) add('VerboseLogging', 'log.level', VerboseLogging ? 'debug' : 'info');
  if (ErrorsOnlyLogging) add('ErrorsOnlyLogging', 'log.level', 'error');
  const unused = Object.fromEntries(
    Object.keys(foreignSchema.shape)
      .filter((key) => key in file && !aliases.some(({ from }) => from === key))
      .map((key) => [key, 'it changes nothing']),
  );
  return { aliases, ignored: { ...ignored, ...unused } };
}

/** `http://host` and `3000`; a unix socket has no port. */
function withPort(address: string | undefined, port: string | undefined): string | undefined {
  if (address === undefined || address.startsWith('unix:') || !port) return address;
  return `${address}:${port}`;
}
