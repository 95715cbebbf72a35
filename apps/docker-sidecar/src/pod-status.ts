import type { PodStatus } from '@interlink/contract';
import { phaseOf } from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import { containerStatus, type ContainerView } from './container-status.ts';
import { deadlineExceeded, isPastDeadline } from './deadline.ts';
import type { PodFacts } from './facts.ts';
import { sandboxName } from './labels.ts';
import type { ImageWait } from './plan.ts';
import type { HealthOf } from './probes/health.ts';
import { addressesOf } from './spec/addresses.ts';

export interface StatusContext {
  readonly site: string;
  readonly waits: ReadonlyMap<string, ImageWait>;
  readonly health: HealthOf;
  /** What ended containers left to be said, by id. */
  readonly messages: ReadonlyMap<string, string>;
  /** A delete was accepted: what has ended is not started again. */
  readonly deleting: boolean;
  /** Why the site ends the pod. */
  readonly evicted?: string | undefined;
  /** Whether the cluster can reach the sandbox's address. */
  readonly podIPsRoutable: boolean;
  /** The site's own word on its address, for pods on the host's network. */
  readonly hostIP?: string | undefined;
  readonly now: number;
}

/** Pure: the pod's status as the kubelet would report it, from what the engine says. */
export function podStatus(job: Job, facts: PodFacts, context: StatusContext): PodStatus {
  const { metadata, spec } = job.pod;
  const isLate = isPastDeadline(job.pod, job.startTime, facts, context.now);
  const isEnding = context.deleting || isLate || context.evicted !== undefined;
  const view: ContainerView = {
    ...context,
    pod: job.pod,
    isEnding,
    notStarted: spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating',
  };
  const inits = (spec.initContainers ?? []).map((container) => containerStatus('init', container, facts, view));
  const mains = spec.containers.map((container) => containerStatus('main', container, facts, view));
  const ephemerals = (spec.ephemeralContainers ?? []).map((container) =>
    containerStatus('ephemeral', container, facts, { ...view, notStarted: 'ContainerCreating' }),
  );
  const { sandbox } = facts;
  const podIPs = context.podIPsRoutable && sandbox ? addressesOf(job.pod, sandbox, context.hostIP).podIPs : [];
  // As with the kubelet the phase is terminal only when nothing runs any more.
  const stillRuns = facts.all().some(({ role, state }) => role !== 'sandbox' && state === 'running');
  const early =
    context.evicted === undefined ? (isLate ? deadlineExceeded : undefined) : evictedBecause(context.evicted);
  const phase = phaseOf(spec, { containerStatuses: mains, initContainerStatuses: inits }, { restarts: !isEnding });
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    UID: job.uid,
    JID: sandboxName(job),
    containers: mains,
    initContainers: inits,
    ...(ephemerals.length > 0 ? { ephemeralContainers: ephemerals } : {}),
    ...(early !== undefined && !stillRuns ? { phase: 'Failed' as const, ...early } : { phase }),
    startTime: job.startTime,
    site: context.site,
    ...(podIPs.length > 0 ? { podIPs: [...podIPs] } : {}),
  };
}

function evictedBecause(message: string) {
  return { reason: 'Evicted', message };
}
