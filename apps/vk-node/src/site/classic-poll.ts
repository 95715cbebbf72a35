import type { ContractClient, Pod, PodStatus } from '@interlink/contract';
import { phaseOf } from '@interlink/pod-model';

const podsPerRequest = 250;

export interface PollResult {
  readonly statuses: PodStatus[];
  /** UIDs that the plugin said nothing of. */
  readonly missing: string[];
}

/**
 * One look at all pods of a classic plugin, which has no events: many pods a request, whole ones, because plugins read
 * the names of the containers from the spec.
 */
export async function pollClassic(
  client: Pick<ContractClient, 'status'>,
  pods: readonly Pod[],
  call: { owner: string; signal: AbortSignal },
): Promise<PollResult> {
  const statuses: PodStatus[] = [];
  const missing: string[] = [];
  for (let from = 0; from < pods.length; from += podsPerRequest) {
    const asked = pods.slice(from, from + podsPerRequest);
    const answers = new Map((await client.status(asked, call)).map((answer) => [answer.UID, answer]));
    for (const pod of asked) {
      const answer = answers.get(pod.metadata.uid);
      if (answer !== undefined && saysAnything(answer)) statuses.push(withPhase(pod, answer));
      else missing.push(pod.metadata.uid);
    }
  }
  return { statuses, missing };
}

/** Plugins answer for a pod that they do not know with no containers, or with containers that have no state. */
export function saysAnything({ containers, initContainers }: PodStatus): boolean {
  return [...(containers ?? []), ...(initContainers ?? [])].some(
    ({ state }) => state?.waiting ?? state?.running ?? state?.terminated,
  );
}

/** interLink's statuses have no phase. Its plugins restart nothing, so what has ended stays so. */
function withPhase(pod: Pod, status: PodStatus): PodStatus {
  if (status.phase !== undefined) return status;
  const statuses = {
    containerStatuses: status.containers ?? [],
    initContainerStatuses: status.initContainers ?? [],
  };
  return { ...status, phase: phaseOf(pod.spec, statuses, { restarts: false }) };
}
