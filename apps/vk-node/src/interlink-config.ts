import type { Alias, Translation } from '@interlink/service-kit';
import { z } from 'zod';

const text = z.union([z.string(), z.number()]).transform(String).optional();
const foreignSchema = z.looseObject({
  InterlinkURL: text,
  InterlinkPort: text,
  VKTokenFile: text,
  VerboseLogging: z.boolean().optional(),
  ErrorsOnlyLogging: z.boolean().optional(),
  Resources: z
    .looseObject({
      CPU: text,
      Memory: text,
      Pods: text,
      Accelerators: z
        .array(z.looseObject({ ResourceType: z.string(), Available: z.union([z.string(), z.number()]) }))
        .nullish(),
    })
    .optional(),
  NodeLabels: z.array(z.string()).nullish(),
  NodeTaints: z.array(z.looseObject({ Key: z.string(), Value: z.string().default(''), Effect: z.string() })).nullish(),
  KubeletCertFile: text,
  KubeletKeyFile: text,
  TLS: z.looseObject({ Enabled: z.boolean().optional(), CertFile: text, KeyFile: text, CACertFile: text }).optional(),
});

const ignored = {
  ServiceAccount: "a pod's own service account is used",
  Namespace: 'pods of all namespaces are served',
  PodIP: 'use node.address',
  VKConfigPath: 'this file is named by --config',
  ExportPodData: "a pod's data always travels with it",
  DisableProjectedVolumes: 'projected volumes are always sent',
  SkipDownwardAPIResolution: 'references are always resolved',
  KubernetesApiAddr: 'not set in containers yet',
  KubernetesApiPort: 'not set in containers yet',
  KubernetesApiCaCrt: "pods get the cluster's own",
  JobScriptBuilderURL: "job scripts are the sidecar's business",
  DisableCSR: 'no CSR is made: name kubelet.certFile and keyFile, or a self-signed certificate is used',
  KubeletCSRSignerName: 'no CSR is made: name kubelet.certFile and keyFile, or a self-signed certificate is used',
  HTTP: 'certificates are always verified: name api.tls.caFile',
  KubeletHTTP: 'callers of the kubelet port are always authenticated',
  Pprof: 'use the options of Node.js',
  PodCIDR: 'no VPN addresses are given',
  Network: 'no tunnels are made',
};

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const ownTaint = { key: 'virtual-node.interlink/no-schedule', value: 'true', effect: 'NoSchedule' };

/** interLink's config of its virtual kubelet and its environment, in our terms. */
export function fromInterlink(
  file: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): Translation {
  const parsed = foreignSchema.safeParse(file);
  const foreign = parsed.success ? parsed.data : {};
  const aliases: Alias[] = [];
  const add = (from: string, path: string, value: unknown) => {
    if (value !== undefined && value !== '') aliases.push({ from, path, value });
  };
  const { InterlinkURL: url, InterlinkPort: port, TLS: tls, Resources: resources } = foreign;
  const endpoint = url === undefined || url.startsWith('unix:') || !port ? url : `${url}:${port}`;
  add('InterlinkURL', 'api.endpoint', endpoint);
  if (url !== undefined && port !== undefined) add('InterlinkPort', 'api.endpoint', endpoint);
  // What its chart writes where no token is wanted.
  if (foreign.VKTokenFile !== '/dev/null') add('VKTokenFile', 'api.keyFile', foreign.VKTokenFile);
  if (tls?.Enabled) {
    add('TLS', 'api.tls.caFile', tls.CACertFile);
    add('TLS', 'api.tls.certFile', tls.CertFile);
    add('TLS', 'api.tls.keyFile', tls.KeyFile);
  }
  if (resources !== undefined) {
    const { CPU: cpu, Memory: memory, Pods: pods, Accelerators } = resources;
    const counts = new Map<string, number>();
    for (const { ResourceType: type, Available: count } of Accelerators ?? [])
      counts.set(type, (counts.get(type) ?? 0) + Number(count));
    const capacity = Object.entries({ cpu, memory, pods }).filter(([, value]) => value !== undefined);
    add(
      'Resources',
      'node.capacity',
      Object.fromEntries([...capacity, ...[...counts].map(([type, count]) => [type, String(count)])]),
    );
  }
  if (foreign.NodeLabels) {
    const pairs = foreign.NodeLabels.map((label) => label.split('=', 2));
    add('NodeLabels', 'node.labels', Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])));
  }
  if (foreign.NodeTaints) {
    const taints = foreign.NodeTaints.map(({ Key: key, Value: value, Effect }) => ({
      key,
      value,
      effect: effects.includes(Effect) ? Effect : 'NoSchedule',
    }));
    add('NodeTaints', 'node.taints', [ownTaint, ...taints]);
  }
  add('KubeletCertFile', 'kubelet.certFile', foreign.KubeletCertFile);
  add('KubeletKeyFile', 'kubelet.keyFile', foreign.KubeletKeyFile);
  if (foreign.VerboseLogging !== undefined)
    add('VerboseLogging', 'log.level', foreign.VerboseLogging ? 'debug' : 'info');
  if (foreign.ErrorsOnlyLogging) add('ErrorsOnlyLogging', 'log.level', 'error');
  add('NODENAME', 'node.name', env['NODENAME']);
  add('POD_IP', 'node.address', env['POD_IP']);
  add('KUBELET_URL', 'kubelet.host', env['KUBELET_URL']);
  add('KUBELET_PORT', 'kubelet.port', env['KUBELET_PORT'] ? Number(env['KUBELET_PORT']) : undefined);
  const unused = Object.keys(foreignSchema.shape).filter(
    (key) => key in file && !aliases.some(({ from }) => from === key),
  );
  return { aliases, ignored: { ...ignored, ...Object.fromEntries(unused.map((key) => [key, 'it changes nothing'])) } };
}
