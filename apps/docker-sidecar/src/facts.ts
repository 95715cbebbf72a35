import { z } from 'zod';
import { label, type Role } from './labels.ts';

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
  /** Sandbox only: its address, and the host's as the containers see it. */
  readonly ip: string;
  readonly gateway: string;
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
  NetworkSettings: z
    .looseObject({
      Networks: z
        .record(z.string(), z.looseObject({ IPAddress: z.string().default(''), Gateway: z.string().default('') }))
        .nullish(),
    })
    .nullish(),
});

const roles: readonly Role[] = ['sandbox', 'init', 'main'];

/** @returns undefined for a container that is not one of ours. */
export function toFact(inspect: unknown): ContainerFact | undefined {
  const { Id, Created, Image, State, Config, NetworkSettings } = inspectSchema.parse(inspect);
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
    error: State.Error,
    imageId: Image,
    ip: network?.IPAddress ?? '',
    gateway: network?.Gateway ?? '',
  };
}

function time(text: string): string | undefined {
  return text.startsWith('0001-') ? undefined : text;
}

/** One pod's containers, by role and name. */
export class PodFacts {
  readonly #byId = new Map<string, ContainerFact>();

  /** Looks may arrive out of order; a container of ours is started once, so an end is never taken back. */
  put(fact: ContainerFact): void {
    const known = this.#byId.get(fact.id);
    if (known?.state === 'exited' && fact.state !== 'exited' && fact.role !== 'sandbox') return;
    this.#byId.set(fact.id, fact);
  }

  remove(id: string): void {
    this.#byId.delete(id);
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
