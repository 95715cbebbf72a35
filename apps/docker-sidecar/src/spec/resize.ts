import type { Container, Pod } from '@interlink/contract';
import { formatQuantity, parseQuantity, toInteger } from '@interlink/pod-model';
import { z } from 'zod';
import type { LimitFunction } from 'p-limit';
import type { EngineCalls } from '../engine.ts';
import type { ContainerFact, PodFacts } from '../facts.ts';
import { limitsOf, quotaOf, resizeOf, type Limits } from './limits.ts';

/** Of a CPU, for each µs of its quota. */
const nanoPerMicro = 10_000n;

/** A container whose pod has given it other resources than it runs with. */
export interface Resize {
  readonly id: string;
  readonly limits: Limits;
}

interface ResizedPod {
  readonly facts: PodFacts;
  readonly job: { readonly pod: Pod };
  containerOf(fact: ContainerFact): Container | undefined;
}

/** Keeps running containers at the resources that their pod gives them. */
export class Resizer {
  readonly #c: { readonly engine: EngineCalls; readonly limit: LimitFunction };
  readonly #pod: ResizedPod;
  /** What the engine has taken, by container: it is told once, whatever it then makes of it. */
  readonly #taken = new Map<string, Limits>();

  constructor(context: { readonly engine: EngineCalls; readonly limit: LimitFunction }, pod: ResizedPod) {
    this.#c = context;
    this.#pod = pod;
  }

  due(): Resize[] {
    const { facts, job } = this.#pod;
    return facts.all().flatMap((fact) => {
      const container = fact.state === 'running' && fact.role !== 'sandbox' ? this.#pod.containerOf(fact) : undefined;
      if (container === undefined || resizeRestarts(container, fact.limits)) return [];
      const limits = resizeOf(this.#taken.get(fact.id) ?? fact.limits, limitsOf(job.pod, container));
      return limits === undefined ? [] : [{ id: fact.id, limits }];
    });
  }

  async apply({ id, limits }: Resize, signal: AbortSignal): Promise<void> {
    const { engine, limit } = this.#c;
    await limit(async () => {
      await engine.updateContainer(id, limits, signal);
      this.#taken.set(id, limits);
      const fact = await engine.inspect(id, signal);
      if (fact !== undefined) this.#pod.facts.put(fact);
    });
  }
}

const policySchema = z.array(z.looseObject({ resourceName: z.string(), restartPolicy: z.string() })).nullish();

/** Whether a resource has changed for which the container's resizePolicy wants a restart. */
export function resizeRestarts(container: Container, now: Limits): boolean {
  const policies = policySchema.safeParse(container['resizePolicy']).data ?? [];
  return policies.some(({ resourceName, restartPolicy }) => {
    const limit = container.resources?.limits?.[resourceName];
    if (restartPolicy !== 'RestartContainer' || limit === undefined) return false;
    if (resourceName === 'memory') return Number(toInteger(parseQuantity(limit))) !== now.Memory;
    return resourceName === 'cpu' && quotaOf(limit) !== now.CpuQuota;
  });
}

/** What the status says of a container's resources: those it runs with, which follow the spec a moment later. */
export function reportedResources(pod: Pod, container: Container, fact: ContainerFact | undefined): object {
  const { limits, requests } = container.resources ?? {};
  if (fact?.state !== 'running' || (!limits && !requests)) return {};
  const isInStep = resizeOf(fact.limits, limitsOf(pod, container)) === undefined;
  return {
    resources: {
      ...(limits ? { limits: isInStep ? limits : actual(limits, fact.limits) } : {}),
      ...(requests ? { requests } : {}),
    },
    ...(requests ? { allocatedResources: requests } : {}),
  };
}

function actual(limits: Readonly<Record<string, string | number>>, { Memory, CpuQuota }: Limits): object {
  return {
    ...limits,
    ...(Memory > 0 ? { memory: formatQuantity({ ...parseQuantity(String(Memory)), format: 'BinarySI' }) } : {}),
    ...(CpuQuota > 0 ? { cpu: formatQuantity({ nano: BigInt(CpuQuota) * nanoPerMicro, format: 'DecimalSI' }) } : {}),
  };
}
