import { InterlinkError } from '@interlink/contract';
import { isTerminalPhase } from '@interlink/pod-model';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerFact } from '../facts.ts';
import { deviceNeeds, parseAllocation, pick, type Allocation } from './allocation.ts';
import { deviceIds, type DevicesConfig } from './device-config.ts';

/** All devices of a resource are lent out; they come back when other pods end. */
export class DevicesTaken extends InterlinkError {}

/**
 * Which job has which devices, each at most one. The labels of the sandboxes are what is remembered; this is rebuilt
 * from them ({@link recover}) before anything is given away.
 */
export class Devices {
  readonly config: DevicesConfig;
  readonly #held = new Map<string, Allocation>();

  constructor(config: DevicesConfig) {
    this.config = config;
  }

  /** How many there are of each resource, whoever has them. */
  totals(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.config).map(([resource, kind]) => [resource, deviceIds(kind).length]),
    );
  }

  /**
   * The job's devices: those that it has already, or free ones.
   * @throws DevicesTaken when there are not enough now; the pod waits.
   */
  allocate(job: Job): Allocation {
    const held = this.#held.get(job.id);
    if (held !== undefined) return held;
    const needs = deviceNeeds(job.pod, this.config);
    const picked = pick(needs, this.config, this.#held.values());
    if (isShort(picked)) {
      throw new DevicesTaken(
        'Internal',
        `requested number of devices unavailable for ${picked.short}. Requested: ${needs[picked.short]}, ` +
          `Available: ${picked.free}`,
      );
    }
    if (Object.keys(picked).length > 0) this.#held.set(job.id, picked);
    return picked;
  }

  /** For the node: how many of each resource. */
  offered(): { resourceType: string; available: string }[] {
    return Object.entries(this.totals()).map(([resourceType, count]) => ({ resourceType, available: String(count) }));
  }

  /**
   * What jobs have been found with at the engine. A pod that is over has given its devices back, though the label of
   * its ended sandbox still tells of them.
   */
  recover(sandboxes: Iterable<Pick<ContainerFact, 'job' | 'devices' | 'state'>>, jobs: Iterable<Job>): void {
    const over = new Set([...jobs].filter(({ lastStatus }) => isTerminalPhase(lastStatus?.phase)).map(({ id }) => id));
    for (const { job, devices, state } of sandboxes) {
      const allocation = parseAllocation(devices);
      if (Object.keys(allocation).length === 0 || (state === 'exited' && over.has(job))) continue;
      this.#held.set(job, allocation);
    }
  }

  /** The job is over, or gone. */
  release(jobId: string): void {
    this.#held.delete(jobId);
  }
}

function isShort(picked: ReturnType<typeof pick>): picked is { short: string; free: number } {
  return typeof picked['short'] === 'string';
}
