import type { Container } from '@interlink/contract';
import type { ContainerFact } from '../facts.ts';
import { countResult, firstProbeAt, freshRun, nextProbeAt, type ProbeRun } from './probe-run.ts';
import { careFor, type Probe, type ProbeKind } from './settings.ts';

/** One look. @returns undefined when nothing can be said: the engine did not answer. */
export type CheckProbe = (probe: Probe, signal: AbortSignal) => Promise<boolean | undefined>;

export interface ProberOptions {
  readonly container: Container;
  readonly fact: ContainerFact;
  /** The startup probe has succeeded in an earlier life of the sidecar. */
  readonly started: boolean;
  readonly check: CheckProbe;
  readonly verdict: (kind: ProbeKind, verdict: boolean) => void;
  readonly now: () => number;
}

/** The probes of one running container, from its start to its end. */
export class Prober {
  readonly #o: ProberOptions;
  readonly #stop = new AbortController();
  readonly #timers = new Map<ProbeKind, NodeJS.Timeout>();
  readonly #looks = new Set<Promise<void>>();

  constructor(options: ProberOptions) {
    this.#o = options;
    if (options.started || careFor(options.container).probes.startup === undefined) this.#open();
    else this.#begin('startup');
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#looks);
  }

  /** The startup probe gates the others. */
  #open(): void {
    this.#begin('liveness');
    this.#begin('readiness');
  }

  #begin(kind: ProbeKind): void {
    const { container, fact, now } = this.#o;
    const probe = careFor(container).probes[kind];
    if (probe === undefined) return;
    const startedAt = Date.parse(fact.startedAt ?? fact.createdAt);
    this.#at(kind, probe, firstProbeAt(startedAt, now(), probe), freshRun);
  }

  #at(kind: ProbeKind, probe: Probe, at: number, run: ProbeRun): void {
    const timer = setTimeout(
      () => {
        const look: Promise<void> = this.#look(kind, probe, at, run).finally(() => this.#looks.delete(look));
        this.#looks.add(look);
      },
      Math.max(0, at - this.#o.now()),
    );
    this.#timers.set(kind, timer);
  }

  async #look(kind: ProbeKind, probe: Probe, at: number, run: ProbeRun): Promise<void> {
    const succeeded = await this.#succeeded(probe);
    if (this.#stop.signal.aborted) return;
    const next = succeeded === undefined ? { run, verdict: undefined } : countResult(run, succeeded, probe);
    if (next.verdict !== undefined) this.#o.verdict(kind, next.verdict);
    if (kind === 'startup' && next.verdict === true) this.#open();
    // Whoever is about to be killed is left alone from here on.
    const isOver = next.verdict !== undefined && (kind === 'startup' || (kind === 'liveness' && !next.verdict));
    if (!isOver) this.#at(kind, probe, nextProbeAt(at, this.#o.now(), probe), next.run);
  }

  async #succeeded(probe: Probe): Promise<boolean | undefined> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), probe.timeoutSeconds * 1000);
    try {
      return await this.#o.check(probe, AbortSignal.any([this.#stop.signal, timeout.signal]));
    } catch {
      // A check says what it knows; one that throws has been cut by its timeout, or knows nothing.
      return timeout.signal.aborted ? false : undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
