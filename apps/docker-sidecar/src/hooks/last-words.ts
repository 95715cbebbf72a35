import { InterlinkError, isCode, type Container, type ContainerStatus } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerFact, PodFacts } from '../facts.ts';
import type { WorkerContext } from '../pod-worker.ts';
import { readMessage } from './termination-message.ts';

const readDeadlineMs = 10_000;

/** What of a pod its last words are about. */
export interface SpeakingPod {
  readonly job: Job;
  readonly facts: PodFacts;
  containerOf(fact: ContainerFact): Container | undefined;
}

/** The termination messages of a pod's containers: each is read once, or known from the last published status. */
export class LastWords {
  /** By container id. */
  readonly messages = new Map<string, string>();
  readonly #c: Pick<WorkerContext, 'engine' | 'log'>;
  readonly #pod: SpeakingPod;

  constructor(context: Pick<WorkerContext, 'engine' | 'log'>, pod: SpeakingPod) {
    this.#c = context;
    this.#pod = pod;
    const { containers, initContainers, ephemeralContainers } = pod.job.lastStatus ?? {};
    for (const status of [...(containers ?? []), ...(initContainers ?? []), ...(ephemeralContainers ?? [])])
      this.#recall(status);
  }

  /** Those that have ended and were not listened to yet. */
  unheard(): ContainerFact[] {
    const { facts } = this.#pod;
    return facts
      .all()
      .filter(
        ({ id, role, state, startedAt }) =>
          role !== 'sandbox' && state === 'exited' && startedAt && !this.messages.has(id),
      );
  }

  async hear(fact: ContainerFact, signal: AbortSignal): Promise<void> {
    const container = this.#pod.containerOf(fact);
    const { sandbox } = this.#pod.facts;
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(readDeadlineMs)]);
      const text = container && sandbox ? await readMessage(this.#c.engine, sandbox, fact, container, limited) : '';
      this.messages.set(fact.id, text);
    } catch (thrown) {
      if (isCode(thrown, 'Unavailable') && !signal.aborted) throw thrown;
      this.#c.log.warn({ err: InterlinkError.from(thrown), uid: this.#pod.job.uid }, 'a termination message is lost');
      this.messages.set(fact.id, '');
    }
  }

  #recall({ state, lastState }: ContainerStatus): void {
    for (const terminated of [state?.terminated, lastState?.terminated]) {
      const id = terminated?.containerID?.replace(/^docker:\/\//, '');
      if (id) this.messages.set(id, terminated?.message ?? '');
    }
  }
}
