import type { Container, Pod } from '@interlink/contract';
import type { ContainerFact, PodFacts } from './facts.ts';
import type { Role } from './labels.ts';

/** The next thing to do for a pod. */
export type Step =
  /** Make volumes and sandbox, or start the sandbox again. */
  | { readonly do: 'prepare' }
  | { readonly do: 'start'; readonly start: StartSpec }
  /** A back-off is running: look again at `at` (ms since the epoch). */
  | { readonly do: 'wait'; readonly at: number }
  /** All is over: the sandbox is not needed any more. */
  | { readonly do: 'finish' };

export interface StartSpec {
  readonly role: Exclude<Role, 'sandbox'>;
  readonly container: Container;
  readonly attempt: number;
  readonly nextDelaySeconds: number;
  /** Made, but not started yet. */
  readonly existing: string | undefined;
}

/** Why a container cannot be started yet: its image could not be had. */
export interface ImageWait {
  readonly reason:
    'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'CreateContainerError';
  readonly message: string;
  /** ms since the epoch */
  readonly retryAt: number;
  readonly delayMs: number;
}

const firstDelaySeconds = 10;
const maxDelaySeconds = 300;
/** A container that ran this long is forgiven its earlier crashes, as the kubelet does. */
const forgivenAfterMs = 600_000;

/** Pure: what to do next, given the pod, what the engine says and which images are in trouble. */
export function plan(pod: Pod, facts: PodFacts, waits: ReadonlyMap<string, ImageWait>, now: number): Step[] {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const mainsStarted = pod.spec.containers.some(({ name }) => facts.attempts('main', name).latest !== undefined);
  if (!mainsStarted) {
    for (const container of pod.spec.initContainers ?? []) {
      const { latest } = facts.attempts('init', container.name);
      if (latest?.state === 'running') return [];
      if (latest?.state === 'exited' && latest.exitCode === 0) continue;
      if (latest?.state === 'exited' && policy === 'Never') return finish(facts);
      return begin(facts, [startOf('init', container, latest, waits, now)]);
    }
  }
  const steps = pod.spec.containers.flatMap((container): Step[] => {
    const { latest } = facts.attempts('main', container.name);
    if (latest?.state === 'running') return [];
    if (latest?.state === 'exited' && !restarts(policy, latest.exitCode)) return [];
    return [startOf('main', container, latest, waits, now)];
  });
  if (steps.length > 0) return begin(facts, steps);
  const running = pod.spec.containers.some(({ name }) => facts.attempts('main', name).latest?.state === 'running');
  return running ? [] : finish(facts);
}

/** When the container's next start is due after its end, in ms since the epoch; undefined: it is not started again. */
export function restartDue(policy: string, fact: ContainerFact): number | undefined {
  if (fact.state !== 'exited' || !restarts(policy, fact.exitCode)) return undefined;
  return Date.parse(fact.finishedAt ?? fact.createdAt) + (forgiven(fact) ? 0 : fact.nextDelaySeconds * 1000);
}

function restarts(policy: string, exitCode: number): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function forgiven(fact: ContainerFact): boolean {
  if (fact.startedAt === undefined || fact.finishedAt === undefined) return false;
  return Date.parse(fact.finishedAt) - Date.parse(fact.startedAt) >= forgivenAfterMs;
}

function startOf(
  role: 'init' | 'main',
  container: Container,
  latest: ContainerFact | undefined,
  waits: ReadonlyMap<string, ImageWait>,
  now: number,
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
  const due = Math.max(imageDue, restartDue('Always', latest) ?? 0);
  if (due > now) return { do: 'wait', at: due };
  const last = forgiven(latest) ? 0 : latest.nextDelaySeconds;
  const nextDelaySeconds = last === 0 ? firstDelaySeconds : Math.min(maxDelaySeconds, last * 2);
  return {
    do: 'start',
    start: { role, container, attempt: latest.attempt + 1, nextDelaySeconds, existing: undefined },
  };
}

/** Starts need a running sandbox; waiting does not. */
function begin(facts: PodFacts, steps: Step[]): Step[] {
  const starts = steps.some((step) => step.do === 'start');
  return starts && facts.sandbox?.state !== 'running' ? [{ do: 'prepare' }] : steps;
}

function finish(facts: PodFacts): Step[] {
  return facts.sandbox?.state === 'running' ? [{ do: 'finish' }] : [];
}
