import type { PingReply } from '@interlink/contract';
import type { Config } from '../config.ts';
import type { LinkState } from '../site/site-link.ts';

export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Tells the scheduler to keep new pods away while the site cannot be reached; running ones are left alone. */
const siteUnavailableTaint: Taint = { key: 'interlink.eu/site-unavailable', value: 'true', effect: 'NoSchedule' };

/** An empty value: the label is not to be there. */
export function nodeLabels(node: Config['node']): Record<string, string> {
  const labels: Record<string, string> = {
    type: 'virtual-kubelet',
    'kubernetes.io/os': 'virtual-kubelet',
    'kubernetes.io/hostname': node.name,
    'kubernetes.io/role': 'agent',
    'virtual-node.interlink/type': 'virtual-kubelet',
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    ...node.labels,
  };
  return labels;
}

/** The taints that are ours to set: the config's, the site's, and one while the site is away. */
export function nodeTaints(node: Config['node'], ping: PingReply | undefined, link: LinkState): Taint[] {
  const site = (ping?.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect }));
  const taints = [
    ...node.taints,
    ...site,
    ...(link.state === 'up' || link.state === 'starting' ? [] : [siteUnavailableTaint]),
  ];
  return [...new Map(taints.map((taint) => [taintId(taint), taint])).values()];
}

export function taintId({ key, effect }: Taint): string {
  return `${key}:${effect}`;
}

const defaultResources = { cpu: '0', memory: '0', pods: '110' };

/** Capacity and allocatable, which are the same here: what the site gives to us is all for pods. */
export function nodeResources(node: Config['node'], ping: PingReply | undefined): Record<string, string> {
  const { cpu, memory, pods, accelerators } = ping?.resources ?? {};
  const extended: Record<string, string> = {};
  for (const { resourceType, available } of accelerators ?? []) {
    // The same resource may be told in several lines, one per model.
    extended[resourceType] = String(Number(extended[resourceType] ?? 0) + Number(available));
  }
  return {
    ...defaultResources,
    ...(cpu ? { cpu } : {}),
    ...(memory ? { memory } : {}),
    ...(pods ? { pods } : {}),
    ...extended,
    ...node.capacity,
  };
}

/**
 * Ready says that vk-node works, and nothing of the site: a node that is not Ready has its pods evicted, which would
 * cost running jobs for a trouble that passes. The site has a condition of its own, named as interLink has it.
 */
export function nodeConditions(link: LinkState): NodeCondition[] {
  const calm = (type: string, reason: string): NodeCondition => ({
    type,
    status: 'False',
    reason,
    message: 'not a concern of a virtual node',
  });
  return [
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'vk-node is posting ready status' },
    calm('MemoryPressure', 'KubeletHasSufficientMemory'),
    calm('DiskPressure', 'KubeletHasNoDiskPressure'),
    calm('PIDPressure', 'KubeletHasSufficientPID'),
    calm('NetworkUnavailable', 'RouteCreated'),
    siteCondition(link),
  ];
}

function siteCondition(link: LinkState): NodeCondition {
  const type = 'InterlinkConnectivity';
  switch (link.state) {
    case 'up':
      return { type, status: 'True', reason: 'SiteAvailable', message: `site ${link.site} answers` };
    case 'starting':
      return { type, status: 'Unknown', reason: 'Connecting', message: 'the site has not answered yet' };
    case 'apiUnavailable':
      return { type, status: 'False', reason: 'ApiUnavailable', message: link.message };
    case 'accessDenied':
      return { type, status: 'False', reason: 'AccessDenied', message: link.message };
    case 'siteUnavailable':
      return { type, status: 'False', reason: 'SiteUnavailable', message: link.message };
  }
}
