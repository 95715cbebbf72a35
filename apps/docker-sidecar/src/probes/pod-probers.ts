import type { SpeakingPod } from '../hooks/last-words.ts';
import type { WorkerContext } from '../pod-worker.ts';
import { checkProbe } from './check.ts';
import type { PodHealth } from './health.ts';
import { reachOf } from './pod-reach.ts';
import { Prober } from './prober.ts';
import { careFor } from './settings.ts';

/** One prober for each running container that has probes; a pod without any costs nothing. */
export class PodProbers {
  readonly #c: WorkerContext;
  readonly #pod: SpeakingPod;
  readonly #health: PodHealth;
  readonly #changed: () => void;
  readonly #probers = new Map<string, Prober>();
  readonly #ending = new Set<Promise<void>>();

  constructor(context: WorkerContext, pod: SpeakingPod, health: PodHealth, changed: () => void) {
    this.#c = context;
    this.#pod = pod;
    this.#health = health;
    this.#changed = changed;
  }

  /** Begins with those that run now, ends with those that do not. */
  sync(): void {
    const running = new Set<string>();
    for (const fact of this.#pod.facts.all()) {
      const container = fact.state === 'running' ? this.#pod.containerOf(fact) : undefined;
      if (container === undefined || Object.keys(careFor(container).probes).length === 0) continue;
      const { hooked, started, failed } = this.#health.of(fact, container);
      // A hook comes first; and who is about to be killed is left alone.
      if (!hooked || (failed !== undefined && failed !== 'postStart')) continue;
      running.add(fact.id);
      if (this.#probers.has(fact.id)) continue;
      const prober = new Prober({
        ...{ container, fact, started, now: this.#c.now },
        check: async (probe, signal) => {
          const reach = reachOf(this.#c, this.#pod, fact, container);
          return reach && (await checkProbe(reach, probe, signal));
        },
        verdict: (kind, verdict) => {
          if (this.#health.probed(fact, container, kind, verdict)) this.#changed();
        },
      });
      this.#probers.set(fact.id, prober);
    }
    for (const [id, prober] of this.#probers) if (!running.has(id)) this.#end(id, prober);
  }

  async stop(): Promise<void> {
    for (const [id, prober] of this.#probers) this.#end(id, prober);
    await Promise.all(this.#ending);
  }

  #end(id: string, prober: Prober): void {
    this.#probers.delete(id);
    const end: Promise<void> = prober.stop().finally(() => this.#ending.delete(end));
    this.#ending.add(end);
  }
}
