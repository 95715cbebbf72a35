import type { Pod } from '@interlink/contract';
import type { PodNames } from './hostname.ts';
import { podFields } from './pod-fields.ts';

/** The variable in which the sandbox's program finds what to write to /etc/hosts and /etc/resolv.conf. */
export const networkFilesVariable = 'INTERLINK_NETWORK_FILES';

export interface ClusterDns {
  /** The cluster's name servers; none: `ClusterFirst` is as `Default`, as in a kubelet that does not know them. */
  readonly servers: readonly string[];
  readonly domain: string;
}

/**
 * What the two files are made of, for the sandbox's program: it alone sees the pod's address and the host's own
 * resolv.conf. The sandbox's files are those of all containers of the pod.
 */
export function networkFiles(pod: Pod, { hostname, domain }: PodNames, cluster: ClusterDns): string {
  const { hostNetwork, hostAliases, dnsConfig } = podFields(pod);
  const { nameservers, searches, options } = dnsConfig ?? {};
  return JSON.stringify({
    hostNetwork: hostNetwork ?? false,
    hostname,
    domain,
    aliases: (hostAliases ?? []).map(({ ip, hostnames }) => ({ ip, names: hostnames ?? [] })),
    dns: {
      ...baseOf(pod, cluster),
      nameservers: nameservers ?? [],
      searches: searches ?? [],
      options: (options ?? []).map(({ name, value }) => (value ? `${name}:${value}` : name)),
    },
  });
}

/** What the pod's own dnsConfig is added to. */
function baseOf(pod: Pod, { servers, domain }: ClusterDns) {
  const { dnsPolicy, hostNetwork } = podFields(pod);
  if (dnsPolicy === 'None') return { base: 'none' };
  const wantsCluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || ((dnsPolicy ?? 'ClusterFirst') === 'ClusterFirst' && !hostNetwork);
  if (!wantsCluster || servers.length === 0) return { base: 'host' };
  const clusterSearches = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { base: 'cluster', clusterServers: servers, clusterSearches };
}
