import type { KillReason } from '../plan.ts';
import type { WorkerContext } from '../pod-worker.ts';
import { reachOf } from '../probes/pod-reach.ts';
import { careFor } from '../probes/settings.ts';
import type { SpeakingPod } from './last-words.ts';
import { runHandler } from './handler.ts';
import { graceSecondsFor, terminateAll, terminateOne, type Target, type TerminationCalls } from './termination.ts';

/** The hooks of one pod's containers, and how the containers are stopped. */
export class PodHooks {
  readonly #c: WorkerContext;
  readonly #pod: SpeakingPod;
  /** Whose preStop hook has been run in this life of the sidecar: a shorter deadline does not run it again. */
  readonly #preStopped = new Set<string>();

  constructor(context: WorkerContext, pod: SpeakingPod) {
    this.#c = context;
    this.#pod = pod;
  }

  /** @returns why it failed; undefined when it is done. Throws when it was cut by the signal. */
  async postStart({ fact, container }: Target, signal: AbortSignal): Promise<string | undefined> {
    const { postStart } = careFor(container);
    const reach = reachOf(this.#c, this.#pod, fact, container);
    if (postStart === undefined || reach === undefined) return undefined;
    const failure = await runHandler(this.#pod.job.pod, reach, postStart, signal);
    signal.throwIfAborted();
    if (failure !== undefined)
      this.#c.log.info({ uid: this.#pod.job.uid, container: container.name }, 'postStart failed');
    return failure;
  }

  kill(target: Target, why: KillReason, signal: AbortSignal): Promise<void> {
    const { now, log } = this.#c;
    log.info({ uid: this.#pod.job.uid, container: target.container.name, why }, 'a container is stopped');
    const deadline = now() + graceSecondsFor(this.#pod.job.pod, target.container, why) * 1000;
    return terminateOne(target, deadline, this.#calls(signal), signal);
  }

  terminateAll(targets: readonly Target[], deadline: number, signal: AbortSignal): Promise<void> {
    return terminateAll(this.#pod.job.pod, targets, deadline, this.#calls(signal), signal);
  }

  #calls(signal: AbortSignal): TerminationCalls {
    const { engine, now } = this.#c;
    return {
      now,
      preStop: (target, cut) => this.#preStop(target, cut),
      stop: ({ fact }, graceSeconds) => engine.stop(fact.id, graceSeconds, signal),
    };
  }

  async #preStop({ fact, container }: Target, signal: AbortSignal): Promise<void> {
    const { preStop } = careFor(container);
    const reach = reachOf(this.#c, this.#pod, fact, container);
    if (preStop === undefined || reach === undefined || this.#preStopped.has(fact.id)) return;
    this.#preStopped.add(fact.id);
    const failure = await runHandler(this.#pod.job.pod, reach, preStop, signal);
    if (failure !== undefined)
      this.#c.log.info({ uid: this.#pod.job.uid, container: container.name }, 'preStop failed');
  }
}
