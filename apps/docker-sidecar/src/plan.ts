import type { Container, Pod } from '@interlink/contract';
import { isNativeSidecar } from '@interlink/pod-model';
import { delayAfter, isImageChanged, restartDue } from './backoff.ts';
import { activeDeadline, isPastDeadline } from './deadline.ts';
import type { ContainerFact, PodFacts } from './facts.ts';
import type { Role } from './labels.ts';
import type { ContainerHealth, HealthOf } from './probes/health.ts';

/** The next thing to do for a pod. */
export type Step =
  /** Make volumes and sandbox, or start the sandbox again. */
  | { readonly do: 'prepare' }
  | { readonly do: 'start'; readonly start: StartSpec }
  /** Run the postStart hook of a container that has just started. */
  | { readonly do: 'postStart'; readonly fact: ContainerFact; readonly container: Container }
  /** Stop one container with grace, because of what is said of it; what follows is up to its restart policy. */
  | { readonly do: 'kill'; readonly fact: ContainerFact; readonly container: Container; readonly why: KillReason }
  /** Stop all that runs, with the pod's grace period and in the order of Kubernetes. */
  | { readonly do: 'terminate' }
  /** A back-off is running, or a deadline: look again at `at` (ms since the epoch). */
  | { readonly do: 'wait'; readonly at: number }
  /** All is over: the sandbox is not needed any more. */
  | { readonly do: 'finish' };

export type KillReason = 'image' | NonNullable<ContainerHealth['failed']>;

export interface StartSpec {
  readonly role: Exclude<Role, 'sandbox'>;
  readonly container: Container;
  readonly attempt: number;
  readonly nextDelaySeconds: number;
  /** Made, but not started yet. */
  readonly existing: string | undefined;
}

/** Why a container cannot be started yet: its image could not be had, or the engine will not make it. */
export interface ImageWait {
  readonly reason:
    | 'ErrImagePull'
    | 'ImagePullBackOff'
    | 'ErrImageNeverPull'
    | 'InvalidImageName'
    | 'CreateContainerConfigError'
    | 'CreateContainerError';
  readonly message: string;
  /** ms since the epoch */
  readonly retryAt: number;
  readonly delayMs: number;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly startTime: string;
  readonly facts: PodFacts;
  readonly waits: ReadonlyMap<string, ImageWait>;
  readonly health: HealthOf;
  /** The pod has to end, whatever it does. */
  readonly isEvicted?: boolean;
  readonly now: number;
}

/** Pure: what to do next, given the pod, what the engine says, what its probes say and which images are in trouble. */
export function plan(input: PlanInput): Step[] {
  const { pod, startTime, facts, now } = input;
  if (input.isEvicted || isPastDeadline(pod, startTime, facts, now)) return endOf(facts);
  const init = initSteps(input);
  if (init === 'failed') return endOf(facts);
  const steps = init.steps;
  if (init.done) {
    const main = mainSteps(input, init.isHeld);
    if (main === 'over') return endOf(facts);
    steps.push(...main);
  }
  for (const container of pod.spec.ephemeralContainers ?? []) {
    const { latest } = facts.attempts('ephemeral', container.name);
    if (latest === undefined || latest.state === 'created') steps.push(startOf(input, 'ephemeral', container, latest));
  }
  const deadline = activeDeadline(pod, startTime);
  // Starts need a running sandbox; waiting does not.
  const starts = steps.some((step) => step.do === 'start') && facts.sandbox?.state !== 'running';
  return [
    ...(starts ? [{ do: 'prepare' } as const] : steps),
    ...(deadline !== undefined && deadline > now ? [{ do: 'wait', at: deadline } as const] : []),
  ];
}

interface InitPlan {
  readonly steps: Step[];
  /** The other containers may start now. */
  readonly done: boolean;
  /** A hook of one that stays is running: the kubelet starts nothing beside it. */
  readonly isHeld: boolean;
}

/**
 * Init containers, one after the other. Those that stay (native sidecars) count as done once they have started, and
 * are started again whenever they end.
 */
function initSteps(input: PlanInput): InitPlan | 'failed' {
  const { pod, facts } = input;
  const containers = pod.spec.initContainers ?? [];
  const steps: Step[] = [];
  // From the first main container on, all was initialised, whatever the engine has forgotten since.
  const mainsStarted = pod.spec.containers.some(({ name }) => facts.attempts('main', name).latest !== undefined);
  const latestOf = ({ name }: Container) => facts.attempts('init', name).latest;
  const current = mainsStarted ? Infinity : containers.findLastIndex((one) => latestOf(one) !== undefined);
  let isHeld = false;
  for (const [index, container] of containers.entries()) {
    const latest = latestOf(container);
    const isBehind = index < current;
    if (isNativeSidecar(container)) {
      if (latest?.state === 'running') {
        const { hooked, started } = input.health(latest, container);
        steps.push(...careOf(input, container, latest));
        isHeld ||= !hooked;
        if (isBehind || (hooked && started)) continue;
        return { steps, done: false, isHeld };
      }
      steps.push(startOf(input, 'init', container, latest));
      if (isBehind) continue;
      return { steps, done: false, isHeld };
    }
    if (isBehind || (latest?.state === 'exited' && latest.exitCode === 0)) continue;
    if (latest?.state === 'exited' && restartDue(pod, container, latest) === undefined) return 'failed';
    if (latest?.state === 'running') steps.push(...careOf(input, container, latest));
    else steps.push(startOf(input, 'init', container, latest));
    return { steps, done: false, isHeld };
  }
  return { steps, done: true, isHeld };
}

/** All at once, except that a postStart hook holds up the start of those after it, as it does in the kubelet. */
function mainSteps(input: PlanInput, isHeld: boolean): Step[] | 'over' {
  const { pod, facts, health } = input;
  const steps: Step[] = [];
  let alive = false;
  let held = isHeld;
  for (const container of pod.spec.containers) {
    const { latest } = facts.attempts('main', container.name);
    if (latest?.state === 'running') {
      alive = true;
      steps.push(...careOf(input, container, latest));
      held ||= !health(latest, container).hooked;
      continue;
    }
    if (latest?.state === 'exited' && restartDue(pod, container, latest) === undefined) continue;
    alive = true;
    if (held) continue;
    const step = startOf(input, 'main', container, latest);
    steps.push(step);
    held = step.do === 'start' && hasPostStart(container);
  }
  return alive ? steps : 'over';
}

/** What a running container needs. */
function careOf({ health }: PlanInput, container: Container, fact: ContainerFact): Step[] {
  const { hooked, failed } = health(fact, container);
  const why = isImageChanged(container, fact) ? 'image' : failed;
  if (why !== undefined) return [{ do: 'kill', fact, container, why }];
  return hooked ? [] : [{ do: 'postStart', fact, container }];
}

function hasPostStart(container: Container): boolean {
  const lifecycle: unknown = container['lifecycle'];
  return (
    typeof lifecycle === 'object' && lifecycle !== null && 'postStart' in lifecycle && Boolean(lifecycle.postStart)
  );
}

function startOf(
  { pod, waits, now }: PlanInput,
  role: StartSpec['role'],
  container: Container,
  latest: ContainerFact | undefined,
): Step {
  const imageDue = waits.get(container.name)?.retryAt ?? 0;
  if (latest === undefined || latest.state === 'created') {
    if (imageDue > now) return { do: 'wait', at: imageDue };
    const attempt = latest?.attempt ?? 0;
    return {
      do: 'start',
      start: { role, container, attempt, nextDelaySeconds: latest?.nextDelaySeconds ?? 0, existing: latest?.id },
    };
  }
  const due = Math.max(imageDue, restartDue(pod, container, latest) ?? 0);
  if (due > now) return { do: 'wait', at: due };
  const nextDelaySeconds = isImageChanged(container, latest) ? latest.nextDelaySeconds : delayAfter(latest);
  return {
    do: 'start',
    start: { role, container, attempt: latest.attempt + 1, nextDelaySeconds, existing: undefined },
  };
}

/** Whatever still runs is stopped, then the sandbox. */
function endOf(facts: PodFacts): Step[] {
  if (facts.all().some(({ role, state }) => role !== 'sandbox' && state === 'running')) return [{ do: 'terminate' }];
  return facts.sandbox?.state === 'running' ? [{ do: 'finish' }] : [];
}
