import type { Container, Pod } from '@interlink/contract';
import { mayRunAgain } from '@interlink/pod-model';
import type { ContainerFact } from './facts.ts';
import { resizeRestarts } from './spec/resize.ts';

const firstDelaySeconds = 10;
const maxDelaySeconds = 300;
/** A container that ran this long is forgiven its earlier crashes, as the kubelet does. */
const forgivenAfterMs = 600_000;

/** The pod names another image than the one that the container was made from, or resources that want a restart. */
export function isImageChanged(container: Container, fact: ContainerFact): boolean {
  return (fact.image !== '' && fact.image !== (container.image ?? '')) || resizeRestarts(container, fact.limits);
}

/** When the container's next start is due after its end, in ms since the epoch; undefined: it is not started again. */
export function restartDue(pod: Pod, container: Container, fact: ContainerFact): number | undefined {
  if (fact.state !== 'exited' || fact.role === 'ephemeral') return undefined;
  // Whatever its policy says, and at once: nothing has crashed.
  if (isImageChanged(container, fact)) return Date.parse(fact.finishedAt ?? fact.createdAt);
  if (!mayRunAgain(pod.spec, container, fact.exitCode)) return undefined;
  return Date.parse(fact.finishedAt ?? fact.createdAt) + (isForgiven(fact) ? 0 : fact.nextDelaySeconds * 1000);
}

/** How long the start after the one that follows this end has to wait, should that one end too soon. */
export function delayAfter(fact: ContainerFact): number {
  const last = isForgiven(fact) ? 0 : fact.nextDelaySeconds;
  return last === 0 ? firstDelaySeconds : Math.min(maxDelaySeconds, last * 2);
}

/** As Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function formatDelay(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function isForgiven(fact: ContainerFact): boolean {
  if (fact.startedAt === undefined || fact.finishedAt === undefined) return false;
  return Date.parse(fact.finishedAt) - Date.parse(fact.startedAt) >= forgivenAfterMs;
}
