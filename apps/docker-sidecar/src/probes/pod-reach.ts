import type { Container } from '@interlink/contract';
import { expandText } from '@interlink/pod-model';
import type { ContainerFact } from '../facts.ts';
import type { SpeakingPod } from '../hooks/last-words.ts';
import type { WorkerContext } from '../pod-worker.ts';
import type { PodReach } from './check.ts';

/** undefined while the pod has no sandbox. */
export function reachOf(
  { engine }: Pick<WorkerContext, 'engine'>,
  { facts, job }: SpeakingPod,
  fact: ContainerFact,
  container: Container,
): PodReach | undefined {
  const { sandbox } = facts;
  if (sandbox === undefined) return undefined;
  // As the kubelet: only what stands in the spec is known to these commands, no address and no reference.
  const env = new Map((container.env ?? []).map(({ name, value }) => [name, value ?? '']));
  const text = (value: string) => (job.payload.expandEnv ? expandText(value, env) : value);
  return { engine: engine.reach, sandbox, fact, container, text };
}
