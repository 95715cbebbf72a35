import { InterlinkError, isCode } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import { abortable } from './abortable.ts';
import { containerSpec, environment, sandboxSpec, type Surroundings } from './container-spec.ts';
import { parseAllocation } from './devices/allocation.ts';
import { DevicesTaken } from './devices/devices.ts';
import type { EngineCalls, LocalImage } from './engine.ts';
import { type ContainerFact, type PodFacts } from './facts.ts';
import { addMessageFiles, messageFile, withMessages } from './hooks/termination-message.ts';
import { imageWait } from './images.ts';
import { containerName, sandboxName } from './labels.ts';
import { withLifecycle } from './lifecycle-spec.ts';
import type { ImageWait, StartSpec } from './plan.ts';
import type { WorkerContext } from './pod-worker.ts';
import { addressesOf } from './spec/addresses.ts';
import { nonRootProblem } from './spec/security.ts';
import { sandboxVolumes } from './volumes/mounts.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';

/** What of a pod's worker its maker sees. */
export interface PodInMaking {
  readonly job: Job;
  readonly facts: PodFacts;
  readonly volumes: PodVolumes;
  /** Why containers cannot be started, by name. */
  readonly waits: Map<string, ImageWait>;
  /** Nothing is begun any more. */
  readonly stopped: AbortSignal;
}

/** Makes a pod's sandbox and its containers. */
export class PodMaker {
  readonly #c: WorkerContext;
  readonly #pod: PodInMaking;

  constructor(context: WorkerContext, pod: PodInMaking) {
    this.#c = context;
    this.#pod = pod;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { engine, limit, settings, devices, images } = this.#c;
    await limit(async () => {
      // Deleted while it waited for its turn: there is nothing to make any more.
      if (this.#pod.stopped.aborted) return;
      try {
        let sandbox = this.#pod.facts.sandbox;
        if (sandbox === undefined) {
          const allocation = devices.allocate(this.#pod.job);
          await images.ensure(settings.sandboxImage, 'IfNotPresent', [], signal);
          await this.#pod.volumes.make(this.#pod.job, signal);
          sandbox = await this.#create(
            sandboxName(this.#pod.job),
            withMessages(sandboxSpec(this.#pod.job, settings, allocation)),
            signal,
          );
        }
        if (sandbox.state === 'created') {
          const all = allContainers(this.#pod.job).map(({ name }) => ({ name, attempt: 0 }));
          await this.#pod.volumes.fill(this.#pod.job, sandbox.id, signal, (tar) => addMessageFiles(tar, all));
        }
        await engine.start(sandbox.id, signal);
        await this.look(sandbox.id, signal);
        this.#pod.waits.clear();
      } catch (thrown) {
        this.#cannotCreate(
          thrown,
          allContainers(this.#pod.job).map(({ name }) => name),
        );
      }
    });
  }

  async start(start: StartSpec, signal: AbortSignal): Promise<void> {
    const { engine, limit } = this.#c;
    const { container, role, attempt } = start;
    const image = container.image ?? '';
    let local: LocalImage;
    try {
      local = await abortable(
        this.#c.images.ensure(
          image,
          container.imagePullPolicy ?? 'IfNotPresent',
          this.#pod.job.payload.pullSecrets,
          signal,
        ),
        this.#pod.stopped,
      );
    } catch (thrown) {
      if (isCode(thrown, 'Unavailable') || this.#pod.stopped.aborted) throw thrown;
      this.#pod.waits.set(
        container.name,
        imageWait(InterlinkError.from(thrown), image, this.#pod.waits.get(container.name), this.#c.now()),
      );
      return;
    }
    const problem = nonRootProblem(this.#pod.job.pod, container, local.user);
    if (problem !== undefined) {
      const [now, delayMs] = [this.#c.now(), configErrorDelayMs];
      const wait = { reason: 'CreateContainerConfigError', message: problem, retryAt: now + delayMs, delayMs } as const;
      this.#pod.waits.set(container.name, wait);
      return;
    }
    await limit(async () => {
      const { sandbox } = this.#pod.facts;
      if (sandbox === undefined || this.#pod.stopped.aborted) return;
      try {
        const addresses = addressesOf(this.#pod.job.pod, sandbox, this.#c.hostIP);
        const env = environment(this.#pod.job, container, addresses);
        const id = await this.#pod.volumes.withMounts(
          this.#pod.job,
          container,
          env,
          this.#pod.facts,
          signal,
          async (mounts) => {
            const devices = parseAllocation(sandbox.devices);
            const surroundings = { sandboxId: sandbox.id, addresses, image: local, devices, mounts };
            const name = containerName(this.#pod.job, container.name, attempt);
            // One that was made before leads where its paths led then.
            const stale = start.existing !== undefined && mounts.some(({ Type }) => Type === 'bind');
            if (stale) await engine.removeContainer(start.existing, signal);
            const made =
              stale || start.existing === undefined
                ? await this.#createContainer(name, start, sandbox, surroundings, signal)
                : start.existing;
            // A container that cannot start says so itself, in its state: looking at it is enough.
            await engine.start(made, signal).catch((error: unknown) => {
              if (isCode(error, 'Unavailable')) throw error;
            });
            return made;
          },
        );
        await this.look(id, signal);
        this.#pod.waits.delete(container.name);
      } catch (thrown) {
        this.#cannotCreate(thrown, [container.name]);
      }
      const old = this.#pod.facts
        .all()
        .filter((fact) => fact.role === role && fact.name === container.name && fact.attempt < attempt - 1);
      for (const fact of old) await engine.removeContainer(fact.id, signal);
    });
  }

  async #createContainer(
    name: string,
    start: StartSpec,
    sandbox: ContainerFact,
    surroundings: Surroundings,
    signal: AbortSignal,
  ): Promise<string> {
    const { job, facts } = this.#pod;
    const spec = withLifecycle(containerSpec(job, this.#c.settings, start, surroundings), start, sandbox, facts);
    // The files of the first attempts were made with the sandbox.
    if (start.attempt > 0 || start.role === 'ephemeral') {
      const file = await messageFile({ name: start.container.name, attempt: start.attempt });
      await this.#c.engine.putArchive(sandbox.id, sandboxVolumes, file, signal);
    }
    return (await this.#create(name, spec, signal)).id;
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
    const fact = await this.look(id, signal);
    if (fact === undefined)
      throw new InterlinkError('Unavailable', `container ${name} vanished while it was being made`);
    return fact;
  }

  async look(id: string, signal: AbortSignal): Promise<ContainerFact | undefined> {
    const fact = await this.#c.engine.inspect(id, signal);
    if (fact !== undefined) this.#pod.facts.put(fact);
    return fact;
  }

  /** Shown on the pod, tried again with back-off; an engine that is away is everybody's trouble, not this pod's. */
  #cannotCreate(thrown: unknown, containers: readonly string[]): void {
    const error = InterlinkError.from(thrown);
    if (error.code === 'Unavailable' || this.#pod.stopped.aborted) throw error;
    for (const container of containers) {
      const before = this.#pod.waits.get(container);
      const growing = before === undefined ? 10_000 : Math.min(300_000, before.delayMs * 2);
      // Devices come back at any time, and the scheduler knows that before we do.
      const delayMs = error instanceof DevicesTaken ? devicesDelayMs : growing;
      const retryAt = this.#c.now() + delayMs;
      this.#pod.waits.set(container, { reason: 'CreateContainerError', message: error.message, retryAt, delayMs });
    }
  }
}

/** What is wrong with it is the pod's own; as with the kubelet, it is looked at again without growing delays. */
const configErrorDelayMs = 10_000;
const devicesDelayMs = 2_000;

function allContainers({ pod }: Job) {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
}
