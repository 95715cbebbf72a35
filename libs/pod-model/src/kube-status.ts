import type { ContainerStatus, KubePodStatus, Pod, PodCondition, PodPhase, PodStatus } from '@interlink/contract';
import { hasBeenInitialized, isNativeSidecar } from './container-roles.ts';
import { endRunning, mergeContainerStatuses } from './container-statuses.ts';
import { usableAddresses } from './pod-addresses.ts';
import { podConditions } from './pod-conditions.ts';
import { isTerminalPhase, phaseOf, type ContainerStatuses } from './pod-phase.ts';
import { qosClass, type QosClass } from './qos-class.ts';
import { formatTime, normalizeTime } from './status-time.ts';

interface AddressEntry {
  ip: string;
}

/** The part of a Pod's status that belongs to the node. An absent field is unset. */
export interface OwnPodStatus extends ContainerStatuses {
  ephemeralContainerStatuses?: ContainerStatus[];
  phase: PodPhase;
  reason?: string;
  message?: string;
  startTime: string;
  podIP?: string;
  podIPs?: AddressEntry[];
  hostIP?: string;
  hostIPs?: AddressEntry[];
  conditions: PodCondition[];
  qosClass: QosClass;
  observedGeneration?: number;
}

const phases: readonly PodPhase[] = ['Pending', 'Running', 'Succeeded', 'Failed'];

/**
 * The status that the Pod should have, from what it has and what the site reports. A terminal phase is never left, and
 * neither is the end of a container that may not run again. A status without phase comes from a classic plugin, which
 * restarts nothing: its phase is derived, and `ready` follows from running.
 */
export function toKubeStatus(pod: Pod, reported: PodStatus, now: Date): OwnPodStatus {
  const before: KubePodStatus = pod.status ?? {};
  const ended = isTerminalPhase(before.phase);
  const classic = reported.phase === undefined;
  const merged = mergeStatuses(pod, reported, { ended, classic });
  const phase = nextPhase(pod, reported, merged);
  const statuses = isTerminalPhase(phase)
    ? {
        containerStatuses: endRunning(merged.containerStatuses),
        initContainerStatuses: endRunning(merged.initContainerStatuses),
        ...(merged.ephemeralContainerStatuses
          ? { ephemeralContainerStatuses: endRunning(merged.ephemeralContainerStatuses) }
          : {}),
      }
    : merged;
  const { reason, message } = ended ? before : reported;
  const generation = pod.metadata['generation'];
  return {
    phase,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    startTime: before.startTime ?? normalizeTime(reported.startTime) ?? formatTime(now),
    ...addresses(before, reported),
    ...statuses,
    conditions: podConditions(pod, { ...statuses, phase }, before.conditions ?? [], now),
    qosClass: knownQosClass(before) ?? qosClass(pod),
    ...(typeof generation === 'number' && generation > 0 ? { observedGeneration: generation } : {}),
  };
}

/** 'Unknown' from the site is no news: unknown is not gone. */
function nextPhase(pod: Pod, { phase, containers }: PodStatus, statuses: ContainerStatuses): PodPhase {
  const before = phases.find((known) => known === pod.status?.phase) ?? 'Pending';
  if (isTerminalPhase(before) || phase === 'Unknown') return before;
  if (phase !== undefined) return phase;
  // Nothing reported is nothing known, not the end of the pod.
  if (!containers?.length) return before;
  const all = [...statuses.containerStatuses, ...statuses.initContainerStatuses];
  const restarting = all.some(({ state, lastState }) => state?.waiting && lastState?.terminated);
  return phaseOf(pod.spec, statuses, { restarts: restarting });
}

interface MergedStatuses {
  containerStatuses: ContainerStatus[];
  initContainerStatuses: ContainerStatus[];
  ephemeralContainerStatuses?: ContainerStatus[];
}

function mergeStatuses(pod: Pod, reported: PodStatus, options: { ended: boolean; classic: boolean }): MergedStatuses {
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const common = { ...options, waitingReason: initContainers?.length ? 'PodInitializing' : 'ContainerCreating' };
  const containerStatuses = mergeContainerStatuses(pod.spec, containers, {
    ...common,
    reported: reported.containers ?? [],
    previous: pod.status?.containerStatuses ?? [],
  });
  const initContainerStatuses = mergeContainerStatuses(pod.spec, initContainers ?? [], {
    ...common,
    reported: reported.initContainers ?? [],
    previous: pod.status?.initContainerStatuses ?? [],
  });
  const merged: MergedStatuses = { containerStatuses, initContainerStatuses };
  if (ephemeralContainers?.length) {
    merged.ephemeralContainerStatuses = mergeContainerStatuses(pod.spec, ephemeralContainers, {
      ...common,
      waitingReason: 'ContainerCreating',
      reported: reported.ephemeralContainers ?? [],
      previous: pod.status?.ephemeralContainerStatuses ?? [],
    }).map((status) => ({ ...status, ready: false }));
  }
  if (hasBeenInitialized(pod.spec, containerStatuses))
    merged.initContainerStatuses = completeUnmentioned(pod, reported, initContainerStatuses);
  return merged;
}

/** Many classic plugins never mention init containers; they must have ended before an app container could start. */
function completeUnmentioned(pod: Pod, reported: PodStatus, statuses: ContainerStatus[]): ContainerStatus[] {
  const mentioned = new Set(reported.initContainers?.map(({ name }) => name));
  const oneShot = new Set(pod.spec.initContainers?.filter((one) => !isNativeSidecar(one)).map(({ name }) => name));
  return statuses.map((status) => {
    if (mentioned.has(status.name) || !oneShot.has(status.name) || status.state?.terminated) return status;
    const terminated = { exitCode: 0, reason: 'Completed', startedAt: null, finishedAt: null };
    return { ...status, state: { terminated }, ready: true, started: false };
  });
}

function addresses(
  before: KubePodStatus,
  reported: PodStatus,
): Pick<OwnPodStatus, 'podIP' | 'podIPs' | 'hostIP' | 'hostIPs'> {
  const podIPs = usableAddresses(reported.podIPs ?? []);
  const hostIPs = usableAddresses(reported.hostIPs ?? []);
  return {
    ...addressPair('podIP', 'podIPs', podIPs.length > 0 ? podIPs : knownAddresses(before.podIP, before['podIPs'])),
    ...addressPair(
      'hostIP',
      'hostIPs',
      hostIPs.length > 0 ? hostIPs : knownAddresses(before.hostIP, before['hostIPs']),
    ),
  };
}

function addressPair<One extends string, All extends string>(one: One, all: All, list: readonly string[]) {
  const [first] = list;
  if (first === undefined) return {};
  return { [one]: first, [all]: list.map((ip) => ({ ip })) };
}

function knownAddresses(one: string | null | undefined, all: unknown): string[] {
  const listed = Array.isArray(all) ? all.map((entry: unknown) => ipOf(entry)).filter((ip) => ip !== undefined) : [];
  if (listed.length > 0) return listed;
  return one ? [one] : [];
}

function ipOf(entry: unknown): string | undefined {
  const ip = typeof entry === 'object' && entry !== null && 'ip' in entry ? entry.ip : undefined;
  return typeof ip === 'string' ? ip : undefined;
}

/** The kube-apiserver set it when the pod was made and refuses any other. */
function knownQosClass(before: KubePodStatus): QosClass | undefined {
  return (['Guaranteed', 'Burstable', 'BestEffort'] as const).find((known) => known === before['qosClass']);
}
