import type { Chain } from '@interlink/testbed';
import { childCalled, usageOf, type Usage } from './process-usage.ts';
import type { RequestCounts } from './request-counts.ts';

/** Requests made so far, by service. */
export type Counts = Record<'vkNode' | 'api' | 'sidecar', RequestCounts>;

export async function countRequests({ vkNode, api, sidecar }: Chain): Promise<Counts> {
  const [ofNode, ofApi, ofSidecar] = await Promise.all([vkNode, api, sidecar].map((one) => one.requestsMade()));
  return { vkNode: ofNode ?? new Map(), api: ofApi ?? new Map(), sidecar: ofSidecar ?? new Map() };
}

/** What each process has used so far, by name; the control plane's only where we started it. */
export type Usages = ReadonlyMap<string, Usage>;

export async function lookAtProcesses(chain: Chain, helper: { name: string; pid: number }): Promise<Usages> {
  const pids: [string, number | undefined][] = [
    ['vk-node', chain.vkNode.pid],
    ['interlink-api', chain.api.pid],
    [chain.sidecar.name, chain.sidecar.pid],
    [helper.name, helper.pid],
    ['kube-apiserver', await childCalled('kube-apiserver')],
    ['etcd', await childCalled('etcd')],
  ];
  const usages = new Map<string, Usage>();
  for (const [name, pid] of pids) {
    const usage = pid === undefined ? undefined : await usageOf(pid);
    if (usage !== undefined) usages.set(name, usage);
  }
  return usages;
}
