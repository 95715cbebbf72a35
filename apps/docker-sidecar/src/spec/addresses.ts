import type { Pod } from '@interlink/contract';
import type { PodAddresses } from '@interlink/pod-model';
import { podFields } from './pod-fields.ts';

/** What containers of the pod see as their own address and the host's; on the host's network both are the host's. */
export function addressesOf(
  pod: Pod,
  sandbox: { readonly ip: string; readonly gateway: string },
  hostIP: string | undefined,
): PodAddresses {
  const host = [hostIP ?? sandbox.gateway].filter((address) => address !== '');
  const own = podFields(pod).hostNetwork ? host : [sandbox.ip].filter((address) => address !== '');
  return { podIPs: own, hostIPs: host };
}
