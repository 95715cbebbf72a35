import { InterlinkError, isCode, type ContractClient } from '@interlink/contract';
import type { KubeletProvider } from '@interlink/kubelet-server';
import type { PodController } from '../pods/pod-controller.ts';
import { waitingToStart } from '../pods/waiting-to-start.ts';
import type { SiteLink } from '../site/site-link.ts';

export interface SiteProviderOptions {
  readonly api: Pick<ContractClient, 'logs' | 'exec' | 'attach' | 'portForward' | 'stats'>;
  readonly pods: Pick<PodController, 'all' | 'find'>;
  readonly link: Pick<SiteLink, 'capabilities' | 'isClassic' | 'site'>;
  readonly owner: string;
}

type Feature = 'exec' | 'attach' | 'portForward' | 'stats';

/** What the kubelet's API says and does, by what the cluster knows of the pods and what the site does with them. */
export function siteProvider({ api, pods, link, owner }: SiteProviderOptions): KubeletProvider {
  /** @throws InterlinkError for what the site is known not to do; one that is not known yet is simply asked */
  const mustOffer = (feature: Feature, what: string) => {
    const known: Partial<Record<Feature, boolean | undefined>> | undefined = link.isClassic
      ? {}
      : link.capabilities?.features;
    if (known === undefined || known[feature] === true) return;
    const site = link.site ?? 'of this node';
    throw new InterlinkError('Invalid', `501 Not Implemented: the site ${site} does not offer ${what}`);
  };
  return {
    pods: () => pods.all(),
    findPod: (namespace, name) => pods.find(namespace, name),
    logs: async ({ namespace, pod, uid, container, options, session }, signal) => {
      const wanted = { Namespace: namespace, PodName: pod, PodUID: uid, ContainerName: container, Opts: options };
      try {
        return await api.logs(wanted, { owner, session, signal });
      } catch (error) {
        // The site knows best whether there is a log; why there is none, the pod may tell better.
        if (!isCode(error, 'NotFound', 'Malformed')) throw error;
        throw waitingToStart(pods.find(namespace, pod), container) ?? error;
      }
    },
    exec: async ({ session, ...request }, signal) => {
      mustOffer('exec', 'commands in a running container (kubectl exec)');
      return api.exec(request, { owner, session, signal });
    },
    attach: async ({ session, ...request }, signal) => {
      mustOffer('attach', 'to attach to a running container (kubectl attach)');
      return api.attach(request, { owner, session, signal });
    },
    portForward: async ({ session, ...request }, signal) => {
      mustOffer('portForward', 'connections into its pods (kubectl port-forward)');
      return api.portForward(request, { owner, session, signal });
    },
    stats: async (signal) => {
      mustOffer('stats', 'the resource use of its pods (kubectl top)');
      const stats = await api.stats({ owner, signal });
      // A job may outlive its pod by a moment: what the cluster does not know is nobody's.
      const uids = new Set(pods.all().map(({ metadata }) => metadata.uid));
      return { ...stats, pods: stats.pods.filter(({ uid }) => uids.has(uid)) };
    },
  };
}
