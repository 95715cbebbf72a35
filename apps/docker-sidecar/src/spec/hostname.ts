import { InterlinkError, type Pod } from '@interlink/contract';
import { podFields } from './pod-fields.ts';

/** What the kernel's name of a host has room for. */
const maxKernelName = 64;

/** The pod's names: `hostname` alone, its `domain` (empty without a subdomain), and what `gethostname` says. */
export interface PodNames {
  readonly hostname: string;
  readonly domain: string;
  readonly kernelName: string;
}

/** @throws InterlinkError Invalid for a full name that the kernel has no room for. */
export function podNames(pod: Pod, clusterDomain: string): PodNames {
  const { hostnameOverride, hostname: own, subdomain, setHostnameAsFQDN } = podFields(pod);
  if (hostnameOverride) {
    const hostname = cut(hostnameOverride);
    return { hostname, domain: '', kernelName: hostname };
  }
  const hostname = cut(own || pod.metadata.name);
  const domain = subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '';
  if (domain === '' || !setHostnameAsFQDN) return { hostname, domain, kernelName: hostname };
  const kernelName = `${hostname}.${domain}`;
  if (kernelName.length > maxKernelName) {
    throw new InterlinkError(
      'Invalid',
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${kernelName} is too long ` +
        `(${maxKernelName} characters is the max, ${kernelName.length} characters requested)`,
      { field: 'spec.setHostnameAsFQDN' },
    );
  }
  return { hostname, domain, kernelName };
}

/** As Kubernetes: at most 63 characters, and not ending in a separator. */
function cut(name: string): string {
  return name.length <= 63 ? name : name.slice(0, 63).replace(/[-.]+$/, '');
}
