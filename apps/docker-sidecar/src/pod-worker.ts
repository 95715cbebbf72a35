import { InterlinkError, isCode, type PodStatus } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Job } from '@interlink/sidecar-kit';
import type { LimitFunction } from 'p-limit';
import { abortable } from './abortable.ts';
import { containerSpec, sandboxSpec, sandboxVolumes } from './container-spec.ts';
import type { EngineCalls } from './engine.ts';
import { PodFacts, type ContainerFact } from './facts.ts';
import { backingOff, imageWait, type Images } from './images.ts';
import { containerName, jobLabels, sandboxName, volumeName } from './labels.ts';
import { plan, type ImageWait, type StartSpec, type Step } from './plan.ts';
import { podStatus } from './pod-status.ts';
import { memoryOptions, mountedVolumes, volumesArchive } from './volumes.ts';

export interface WorkerContext {
  readonly engine: EngineCalls;
  readonly images: Images;
  readonly site: string;
  readonly sandboxImage: string;
  readonly podIPsRoutable: boolean;
  /** What status.hostIP resolves to; undefined: the host's address on the pod's network. */
  readonly hostIP: string | undefined;
  /** Bounds what all workers together ask of the engine at once. */
  readonly limit: LimitFunction;
  readonly report: (job: Job, status: PodStatus) => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** Drives one pod: looks at what the engine says, does the next step, and again when something has happened. */
export class PodWorker {
  readonly job: Job;
  facts = new PodFacts();
  readonly #c: WorkerContext;
  readonly #waits = new Map<string, ImageWait>();
  readonly #stop = new AbortController();
  #dirty = false;
  #loop: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings, in ms since the epoch. */
  #wake = Infinity;
  #failures = 0;

  constructor(job: Job, context: WorkerContext) {
    this.job = job;
    this.#c = context;
  }

  /** Something may have changed. Never throws; work goes on in the background until {@link stop}. */
  touch(): void {
    if (this.#stop.signal.aborted) return;
    this.#dirty = true;
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
      // A touch between the last look and this line would be lost.
      if (this.#dirty) this.touch();
    });
  }

  /** No further step is taken; resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#loop;
  }

  report(): void {
    const { site, podIPsRoutable } = this.#c;
    const context = { site, podIPsRoutable, waits: this.#waits, deleting: this.#stop.signal.aborted };
    this.#c.report(this.job, podStatus(this.job, this.facts, context));
  }

  async #run(): Promise<void> {
    while (this.#dirty && !this.#stop.signal.aborted) {
      this.#dirty = false;
      clearTimeout(this.#timer);
      this.#wake = Infinity;
      const steps = plan(this.job.pod, this.facts, this.#waits, this.#c.now());
      this.report();
      const results = await Promise.allSettled(steps.map((step) => this.#perform(step)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) this.#tryAgain(failed.reason);
      else this.#failures = 0;
    }
  }

  #tryAgain(thrown: unknown): void {
    if (this.#stop.signal.aborted) return;
    const error = InterlinkError.from(thrown, 'Internal');
    this.#c.log.warn({ err: error, uid: this.job.uid }, 'a step failed; trying again');
    this.#wakeAt(this.#c.now() + Math.min(30_000, 500 * 2 ** Math.min(this.#failures++, 6)) * (0.5 + Math.random()));
  }

  /** The earliest of all that was asked for since the last look. */
  #wakeAt(at: number): void {
    if (at >= this.#wake) return;
    this.#wake = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.touch(), Math.max(0, at - this.#c.now()));
  }

  async #perform(step: Step): Promise<void> {
    // Engine calls are not cut by a stop: the engine would go on with them, behind the back of whoever cleans up.
    const signal = neverAborted;
    switch (step.do) {
      case 'prepare':
        return this.#prepare(signal);
      case 'start':
        return this.#start(step.start, signal);
      case 'wait':
        return this.#wait(step.at);
      case 'finish': {
        const { sandbox } = this.facts;
        if (sandbox) await this.#c.limit(() => this.#c.engine.stop(sandbox.id, 1, signal));
      }
    }
  }

  #wait(at: number): Promise<void> {
    const { containers, initContainers } = this.job.pod.spec;
    for (const [name, wait] of this.#waits) {
      const image = [...containers, ...(initContainers ?? [])].find((one) => one.name === name)?.image ?? '';
      // The error is shown once, then the back-off, as the kubelet does.
      if (wait.retryAt - this.#c.now() < wait.delayMs - 1000) this.#waits.set(name, backingOff(wait, image));
    }
    this.report();
    // Half-way wake-ups only turn ErrImagePull into ImagePullBackOff.
    const soon = [...this.#waits.values()].some(({ reason }) => reason === 'ErrImagePull') ? this.#c.now() + 1500 : at;
    this.#wakeAt(Math.min(at, soon));
    return Promise.resolve();
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { engine, limit, site, sandboxImage, images } = this.#c;
    await limit(async () => {
      // Deleted while it waited for its turn: there is nothing to make any more.
      if (this.#stop.signal.aborted) return;
      try {
        let sandbox = this.facts.sandbox;
        if (sandbox === undefined) {
          await images.ensure(sandboxImage, 'IfNotPresent', [], signal);
          const volumes = mountedVolumes(this.job.pod);
          const labels = jobLabels(this.job, site);
          await Promise.all(
            volumes.map((volume) =>
              engine.createVolume(volumeName(this.job, volume.name), labels, memoryOptions(volume), signal),
            ),
          );
          sandbox = await this.#create(sandboxName(this.job), sandboxSpec(this.job, site, sandboxImage), signal);
        }
        if (sandbox.state === 'created' && mountedVolumes(this.job.pod).length > 0) {
          const archive = await volumesArchive(this.job, `..${this.#c.now()}`);
          await engine.putArchive(sandbox.id, sandboxVolumes, archive, signal);
        }
        await engine.start(sandbox.id, signal);
        await this.#look(sandbox.id, signal);
        this.#waits.clear();
      } catch (thrown) {
        const { containers, initContainers } = this.job.pod.spec;
        this.#cannotCreate(
          thrown,
          [...containers, ...(initContainers ?? [])].map(({ name }) => name),
        );
      }
    });
    this.#dirty = true;
  }

  async #start(start: StartSpec, signal: AbortSignal): Promise<void> {
    const { engine, limit, site } = this.#c;
    const { container, role, attempt } = start;
    const image = container.image ?? '';
    try {
      await abortable(
        this.#c.images.ensure(image, container.imagePullPolicy ?? 'IfNotPresent', this.job.payload.pullSecrets, signal),
        this.#stop.signal,
      );
    } catch (thrown) {
      if (isCode(thrown, 'Unavailable') || this.#stop.signal.aborted) throw thrown;
      this.#waits.set(
        container.name,
        imageWait(InterlinkError.from(thrown), image, this.#waits.get(container.name), this.#c.now()),
      );
      this.#dirty = true;
      return;
    }
    await limit(async () => {
      const { sandbox } = this.facts;
      if (sandbox === undefined || this.#stop.signal.aborted) return;
      try {
        const addresses = { podIPs: [sandbox.ip], hostIPs: [this.#c.hostIP ?? sandbox.gateway] };
        const name = containerName(this.job, container.name, attempt);
        const id =
          start.existing ??
          (await this.#create(name, containerSpec(this.job, site, start, sandbox.id, addresses), signal)).id;
        // A container that cannot start says so itself, in its state: looking at it is enough.
        await engine.start(id, signal).catch((error: unknown) => {
          if (isCode(error, 'Unavailable')) throw error;
        });
        await this.#look(id, signal);
        this.#waits.delete(container.name);
      } catch (thrown) {
        this.#cannotCreate(thrown, [container.name]);
      }
      const old = this.facts
        .all()
        .filter((fact) => fact.role === role && fact.name === container.name && fact.attempt < attempt - 1);
      for (const fact of old) await engine.removeContainer(fact.id, signal);
    });
    this.#dirty = true;
  }

  /** A name that is taken is our own earlier create, whose answer was lost. */
  async #create(
    name: string,
    spec: Parameters<EngineCalls['createContainer']>[1],
    signal: AbortSignal,
  ): Promise<ContainerFact> {
    let id = name;
    try {
      id = await this.#c.engine.createContainer(name, spec, signal);
    } catch (error) {
      if (!isCode(error, 'Gone')) throw error;
    }
    const fact = await this.#look(id, signal);
    if (fact === undefined)
      throw new InterlinkError('Unavailable', `container ${name} vanished while it was being made`);
    return fact;
  }

  async #look(id: string, signal: AbortSignal): Promise<ContainerFact | undefined> {
    const fact = await this.#c.engine.inspect(id, signal);
    if (fact !== undefined) this.facts.put(fact);
    return fact;
  }

  /** Shown on the pod, tried again with back-off; an engine that is away is everybody's trouble, not this pod's. */
  #cannotCreate(thrown: unknown, containers: readonly string[]): void {
    const error = InterlinkError.from(thrown);
    if (error.code === 'Unavailable' || this.#stop.signal.aborted) throw error;
    for (const container of containers) {
      const before = this.#waits.get(container);
      const delayMs = before === undefined ? 10_000 : Math.min(300_000, before.delayMs * 2);
      const retryAt = this.#c.now() + delayMs;
      this.#waits.set(container, { reason: 'CreateContainerError', message: error.message, retryAt, delayMs });
    }
  }
}

const neverAborted = new AbortController().signal;
