import type { Container, ContainerStatus, PodStatus } from '@interlink/contract';
import type { ContainerFact } from '../facts.ts';
import { careFor, type ProbeKind } from './settings.ts';

/** What hooks and probes say of one running container. */
export interface ContainerHealth {
  /** Its postStart hook is done, or it has none. */
  readonly hooked: boolean;
  /** Its startup probe has succeeded, or it has none. */
  readonly started: boolean;
  /** Its readiness probe says so, or it has none; counts only once it has started. */
  readonly ready: boolean;
  /** Why it has to be killed. */
  readonly failed: 'postStart' | 'startup' | 'liveness' | undefined;
  /** What the postStart hook failed with. */
  readonly message: string;
}

export type HealthOf = (fact: ContainerFact, container: Container) => ContainerHealth;

/** A container without hooks and probes. */
export const plainHealth: ContainerHealth = {
  hooked: true,
  started: true,
  ready: true,
  failed: undefined,
  message: '',
};

/**
 * What is known of one pod's containers, by id. A sidecar that was restarted goes on from the last status that it
 * published: a hook that was done is not run again, and a pod that was ready stays so until a probe says otherwise.
 */
export class PodHealth {
  readonly #byId = new Map<string, ContainerHealth>();
  readonly #published: ReadonlyMap<string, ContainerStatus>;

  constructor(lastStatus: PodStatus | undefined) {
    const all = [...(lastStatus?.containers ?? []), ...(lastStatus?.initContainers ?? [])];
    const running = all.flatMap((status) =>
      status.state?.running && status.containerID ? [[status.containerID, status] as const] : [],
    );
    this.#published = new Map(running);
  }

  readonly of: HealthOf = (fact, container) => {
    const known = this.#byId.get(fact.id);
    if (known) return known;
    // Of no interest to others: init containers that run to their end, and ephemeral ones, have neither.
    const { probes, postStart } = careFor(container);
    if (!postStart && !probes.startup && !probes.readiness && !probes.liveness) return plainHealth;
    const before = this.#published.get(`docker://${fact.id}`);
    const health = {
      ...plainHealth,
      hooked: postStart === undefined || before !== undefined,
      started: probes.startup === undefined || before?.started === true,
      ready: probes.readiness === undefined || before?.ready === true,
    };
    this.#byId.set(fact.id, health);
    return health;
  };

  hookDone(fact: ContainerFact, container: Container, failure: string | undefined): void {
    const failed = failure === undefined ? {} : { failed: 'postStart' as const, message: failure };
    this.#byId.set(fact.id, { ...this.of(fact, container), hooked: failure === undefined, ...failed });
  }

  /** @returns whether this changes anything. */
  probed(fact: ContainerFact, container: Container, kind: ProbeKind, verdict: boolean): boolean {
    const before = this.of(fact, container);
    const after = { ...before, ...changeOf(before, kind, verdict) };
    this.#byId.set(fact.id, after);
    return JSON.stringify(before) !== JSON.stringify(after);
  }
}

function changeOf(before: ContainerHealth, kind: ProbeKind, verdict: boolean): Partial<ContainerHealth> {
  if (kind === 'readiness') return { ready: verdict };
  if (!verdict) return { failed: before.failed ?? kind };
  return kind === 'startup' ? { started: true } : {};
}
