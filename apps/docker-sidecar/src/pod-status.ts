import type { Container, ContainerState, ContainerStatus, PodStatus } from '@interlink/contract';
import { phaseOf } from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerFact, PodFacts } from './facts.ts';
import { sandboxName, type Role } from './labels.ts';
import { restartDue, type ImageWait } from './plan.ts';

export interface StatusContext {
  readonly site: string;
  readonly waits: ReadonlyMap<string, ImageWait>;
  /** A delete was accepted: what has ended is not started again. */
  readonly deleting: boolean;
  /** Whether the cluster can reach the sandbox's address. */
  readonly podIPsRoutable: boolean;
}

/** Pure: the pod's status as the kubelet would report it, from what the engine says. */
export function podStatus(job: Job, facts: PodFacts, context: StatusContext): PodStatus {
  const { metadata, spec } = job.pod;
  const view: ContainerView = {
    ...context,
    policy: context.deleting ? 'Never' : (spec.restartPolicy ?? 'Always'),
    notStarted: spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating',
  };
  const inits = (spec.initContainers ?? []).map((container) => containerStatus('init', container, facts, view));
  const mains = spec.containers.map((container) => containerStatus('main', container, facts, view));
  const sandbox = facts.sandbox;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    UID: job.uid,
    JID: sandboxName(job),
    containers: mains,
    initContainers: inits,
    phase: phaseOf(spec, { containerStatuses: mains, initContainerStatuses: inits }, { restarts: !context.deleting }),
    startTime: job.startTime,
    site: context.site,
    ...(context.podIPsRoutable && sandbox && sandbox.ip !== '' ? { podIPs: [sandbox.ip] } : {}),
  };
}

interface ContainerView extends StatusContext {
  readonly policy: string;
  /** The waiting reason of what has not been started: the kubelet's is one for all containers of a pod. */
  readonly notStarted: string;
}

function containerStatus(role: Role, container: Container, facts: PodFacts, context: ContainerView): ContainerStatus {
  const { policy, notStarted } = context;
  const { latest, previous } = facts.attempts(role, container.name);
  const wait = context.waits.get(container.name);
  const base = {
    name: container.name,
    image: container.image ?? '',
    imageID: latest?.imageId ?? '',
    restartCount: latest?.attempt ?? 0,
    ...(latest ? { containerID: `docker://${latest.id}` } : {}),
    ...(previous ? { lastState: terminated(previous) } : {}),
  };
  if (latest?.state === 'running') {
    return {
      ...base,
      state: { running: { startedAt: latest.startedAt ?? latest.createdAt } },
      ready: role === 'main',
      started: true,
    };
  }
  const idle = { ready: false, started: false };
  if (wait !== undefined && !context.deleting) {
    const waiting = { waiting: { reason: wait.reason, message: wait.message } };
    return {
      ...base,
      ...idle,
      state: waiting,
      ...(latest?.state === 'exited' ? { lastState: terminated(latest) } : {}),
    };
  }
  if (latest === undefined || latest.state === 'created') {
    return { ...base, ...idle, state: { waiting: { reason: notStarted } } };
  }
  const ended = terminated(latest);
  if (restartDue(policy, latest) === undefined) {
    return { ...base, state: ended, ready: role === 'init' && latest.exitCode === 0, started: false };
  }
  if (latest.nextDelaySeconds === 0) return { ...base, ...idle, state: ended };
  const message = `back-off ${latest.nextDelaySeconds}s restarting failed container=${container.name}`;
  return { ...base, ...idle, state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: ended };
}

function terminated(fact: ContainerFact): ContainerState {
  const failedStart = fact.startedAt === undefined && fact.error !== '';
  const reason = failedStart
    ? 'ContainerCannotRun'
    : fact.oomKilled
      ? 'OOMKilled'
      : fact.exitCode === 0
        ? 'Completed'
        : 'Error';
  return {
    terminated: {
      exitCode: fact.exitCode,
      reason,
      ...(failedStart ? { message: fact.error } : {}),
      startedAt: fact.startedAt ?? fact.createdAt,
      finishedAt: fact.finishedAt ?? fact.createdAt,
      containerID: `docker://${fact.id}`,
    },
  };
}
