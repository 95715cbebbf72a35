import type { Container, Pod } from '@interlink/contract';
import { isNativeSidecar } from '@interlink/pod-model';
import type { ContainerFact } from '../facts.ts';
import type { KillReason } from '../plan.ts';
import { careFor } from '../probes/settings.ts';

/** After a hook or a wait has used up the grace period, the container still has this long. */
const minimumGraceMs = 2000;
const defaultGraceSeconds = 30;

export interface Target {
  readonly fact: ContainerFact;
  readonly container: Container;
}

export interface TerminationCalls {
  /** Runs the preStop hook; resolves also when it fails or the signal aborts. */
  readonly preStop: (target: Target, signal: AbortSignal) => Promise<void>;
  /** The stop signal, SIGKILL after so many seconds; resolves when it has ended. */
  readonly stop: (target: Target, graceSeconds: number) => Promise<void>;
  readonly now: () => number;
}

export function graceSecondsOf({ spec }: Pod): number {
  return spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

/** How long a container has that is killed for this reason: a probe may name a time of its own. */
export function graceSecondsFor(pod: Pod, container: Container, why: KillReason): number {
  const { probes } = careFor(container);
  const own = why === 'startup' || why === 'liveness' ? probes[why]?.terminationGracePeriodSeconds : undefined;
  return own ?? graceSecondsOf(pod);
}

/** Hook, turn, stop signal, SIGKILL: all within `deadline` (ms since the epoch), as the kubelet divides it. */
export async function terminateOne(
  target: Target,
  deadline: number,
  calls: TerminationCalls,
  signal: AbortSignal,
  turn?: Promise<unknown>,
): Promise<void> {
  const hasHook = careFor(target.container).preStop !== undefined && deadline > calls.now();
  if (hasHook) await untilDeadline(deadline, calls, signal, (cut) => calls.preStop(target, cut));
  const waits = turn !== undefined && deadline > calls.now();
  if (waits) await untilDeadline(deadline, calls, signal, () => turn);
  const left = Math.max(hasHook || waits ? minimumGraceMs : 0, deadline - calls.now());
  await calls.stop(target, Math.ceil(left / 1000));
}

/**
 * All at once, except that native sidecars get their stop signal only when the main containers have ended, the last one
 * first. Their preStop hooks run at once all the same.
 */
export async function terminateAll(
  pod: Pod,
  targets: readonly Target[],
  deadline: number,
  calls: TerminationCalls,
  signal: AbortSignal,
): Promise<void> {
  const order = (pod.spec.initContainers ?? []).filter(isNativeSidecar).map(({ name }) => name);
  const isSidecar = ({ fact }: Target) => fact.role === 'init' && order.includes(fact.name);
  const others = targets.filter((target) => !isSidecar(target));
  const ending = others.map((target) => terminateOne(target, deadline, calls, signal));
  const before = ending.filter((_, index) => others[index]?.fact.role === 'main');
  const sidecars = targets.filter(isSidecar).sort((a, b) => order.indexOf(b.fact.name) - order.indexOf(a.fact.name));
  for (const sidecar of sidecars) {
    const turn = Promise.allSettled([...before]);
    const end = terminateOne(sidecar, deadline, calls, signal, turn);
    ending.push(end);
    before.push(end);
  }
  const failed = (await Promise.allSettled(ending)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Whatever comes first: the end of `run`, the deadline, the abort. */
async function untilDeadline(
  deadline: number,
  { now }: TerminationCalls,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const cut = new AbortController();
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, deadline - now());
  signal.addEventListener('abort', () => over.resolve(), { once: true });
  try {
    await Promise.race([run(AbortSignal.any([signal, cut.signal])), over.promise]);
  } finally {
    cut.abort();
    clearTimeout(timer);
  }
  signal.throwIfAborted();
}
