import type { Job } from '@interlink/sidecar-kit';

/**
 * What ties a container or volume to its job. The engine is one of the two places where truth lives: a sidecar that
 * lost its memory finds everything again by these.
 */
export const label = {
  site: 'interlink.eu/site',
  job: 'interlink.eu/job',
  owner: 'interlink.eu/owner',
  uid: 'interlink.eu/uid',
  namespace: 'interlink.eu/namespace',
  pod: 'interlink.eu/pod',
  role: 'interlink.eu/role',
  container: 'interlink.eu/container',
  /** How many starts came before this one: each start is a container of its own. */
  attempt: 'interlink.eu/attempt',
  /** Seconds to wait before the next start, should this one end too soon. */
  nextDelay: 'interlink.eu/next-delay',
  /** The image as the pod named it when the container was made: another one in the pod means a new container. */
  image: 'interlink.eu/image',
  /** Sandbox only: the devices that the pod has, as JSON. */
  devices: 'interlink.eu/devices',
} as const;

export type Role = 'sandbox' | 'init' | 'main' | 'ephemeral';

export function jobLabels(job: Job, site: string): Record<string, string> {
  return {
    [label.site]: site,
    [label.job]: job.id,
    [label.owner]: job.owner,
    [label.uid]: job.uid,
    [label.namespace]: job.pod.metadata.namespace,
    [label.pod]: job.pod.metadata.name,
  };
}

/** Names are a function of the job, so that a create sent twice meets its own first one. */
export function sandboxName(job: Job): string {
  return `interlink-${job.id}`;
}

export function containerName(job: Job, container: string, attempt: number): string {
  return `interlink-${job.id}-${container}-${attempt}`;
}

export function volumeName(job: Job, volume: string): string {
  return `interlink-${job.id}-${volume}`;
}
