import { z } from 'zod';
import { withSharedMountAdvice } from './engine-error.ts';
import { label, type Role } from './labels.ts';
import type { Limits } from './spec/limits.ts';

/** Where a sandbox has the termination messages of the pod's containers; beside its volumes, none of which is called so. */
export const messagesFolder = '/volumes/..messages';

/** What the engine says of one container, reduced to what decisions and statuses are made of. */
export interface ContainerFact {
  readonly id: string;
  readonly job: string;
  readonly role: Role;
  readonly name: string;
  readonly attempt: number;
  readonly nextDelaySeconds: number;
  readonly state: 'created' | 'running' | 'exited';
  /** RFC 3339 with fractions; undefined while the engine has none. */
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly createdAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why the engine could not start it. */
  readonly error: string;
  readonly imageId: string;
  /** The image as the pod named it; empty where that is not known. */
  readonly image: string;
  /** Sandbox only: where the engine keeps the files of termination messages, on its own host. */
  readonly messagesSource: string;
  /** Sandbox only: its address, and the host's as the containers see it. */
  readonly ip: string;
  readonly gateway: string;
  /** What the container may use now. */
  readonly limits: Limits;
  /** Sandbox only: the label that says which devices the pod has. */
  readonly devices: string;
}

const inspectSchema = z.looseObject({
  Id: z.string(),
  Created: z.string(),
  Image: z.string(),
  State: z.looseObject({
    Status: z.string(),
    Running: z.boolean(),
    OOMKilled: z.boolean().default(false),
    ExitCode: z.number(),
    Error: z.string().default(''),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
  Config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z
    .object({
      Memory: z.number().default(0),
      MemorySwap: z.number().default(0),
      CpuQuota: z.number().default(0),
      CpuShares: z.number().default(0),
    })
    .prefault({}),
  Mounts: z.array(z.looseObject({ Destination: z.string(), Source: z.string().default('') })).nullish(),
  NetworkSettings: z
    .looseObject({
      Networks: z
        .record(z.string(), z.looseObject({ IPAddress: z.string().default(''), Gateway: z.string().default('') }))
        .nullish(),
    })
    .nullish(),
});

const roles: readonly Role[] = ['sandbox', 'init', 'main', 'ephemeral'];

/** @returns undefined for a container that is not one of ours. */
export function toFact(inspect: unknown): ContainerFact | undefined {
  const { Id, Created, Image, State, Config, HostConfig, Mounts, NetworkSettings } = inspectSchema.parse(inspect);
  const labels = Config.Labels ?? {};
  const role = roles.find((candidate) => candidate === labels[label.role]);
  const job = labels[label.job];
  if (role === undefined || job === undefined) return undefined;
  const network = Object.values(NetworkSettings?.Networks ?? {}).find(({ IPAddress }) => IPAddress !== '');
  const created = State.Status === 'created';
  return {
    id: Id,
    job,
    role,
    name: labels[label.container] ?? '',
    attempt: Number(labels[label.attempt] ?? 0),
    nextDelaySeconds: Number(labels[label.nextDelay] ?? 0),
    // The engine leaves a container that it could not start as "created", with the error beside it.
    state: State.Running ? 'running' : created && State.Error === '' ? 'created' : 'exited',
    startedAt: time(State.StartedAt),
    finishedAt: time(State.FinishedAt),
    createdAt: Created,
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled,
    error: withSharedMountAdvice(State.Error),
    imageId: Image,
    image: labels[label.image] ?? '',
    messagesSource: Mounts?.find(({ Destination }) => Destination === messagesFolder)?.Source ?? '',
    ip: network?.IPAddress ?? '',
    gateway: network?.Gateway ?? '',
    limits: HostConfig,
    devices: labels[label.devices] ?? '',
  };
}

function time(text: string): string | undefined {
  return text.startsWith('0001-') ? undefined : text;
}

/** One pod's containers, by role and name. */
export class PodFacts {
  readonly #byId = new Map<string, ContainerFact>();
  readonly #outOfMemory = new Set<string>();

  /** Looks may arrive out of order; a container of ours is started once, so an end is never taken back. */
  put(fact: ContainerFact): void {
    const known = this.#byId.get(fact.id);
    if (known?.state === 'exited' && fact.state !== 'exited' && fact.role !== 'sandbox') return;
    this.#byId.set(fact.id, this.#outOfMemory.has(fact.id) ? { ...fact, oomKilled: true } : fact);
  }

  /** The engine tells it once, and its own memory of it can get lost when the container ends at the same time. */
  markOutOfMemory(id: string): void {
    this.#outOfMemory.add(id);
    const known = this.#byId.get(id);
    if (known) this.put(known);
  }

  /** What there is now; what was said to be out of memory stays so. */
  reset(facts: Iterable<ContainerFact>): void {
    this.#byId.clear();
    for (const fact of facts) this.put(fact);
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.#outOfMemory.delete(id);
  }

  all(): ContainerFact[] {
    return [...this.#byId.values()];
  }

  get sandbox(): ContainerFact | undefined {
    return this.all().find(({ role }) => role === 'sandbox');
  }

  /** The container's present attempt and the one before it. */
  attempts(role: Role, name: string): { latest?: ContainerFact; previous?: ContainerFact } {
    const [latest, previous] = this.all()
      .filter((fact) => fact.role === role && fact.name === name)
      .sort((one, other) => other.attempt - one.attempt);
    return { ...(latest ? { latest } : {}), ...(previous ? { previous } : {}) };
  }
}
