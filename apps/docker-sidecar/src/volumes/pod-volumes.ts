import { InterlinkError, isCode, type Container, type Volume } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { MountSettings } from 'dockerode';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Pack } from 'tar-stream';
import type { EngineCalls } from '../engine.ts';
import type { PodFacts } from '../facts.ts';
import { jobLabels, sandboxName, volumeName } from '../labels.ts';
import { contentArchive, contentHash, fileVolumes, volumesArchive } from './archive.ts';
import { mountOf, sandboxVolumes, wantedMounts } from './mounts.ts';
import { ownershipOf } from './ownership.ts';
import { placeMount, resolvePath, type PlacedMount } from './paths.ts';
import { memoryOptions, ownVolumes } from './sources.ts';
import type { VolumeRules } from './volume-rules.ts';
import type { SharedPaths } from './shared-paths.ts';
import { hasSharedMounts, leftMountsBody } from './shared-mounts.ts';

export interface VolumesContext {
  readonly engine: Pick<EngineCalls, 'putArchive' | 'volumes'>;
  readonly site: string;
  readonly sandboxImage: string;
  readonly rules: VolumeRules;
  readonly shared: SharedPaths;
  readonly now: () => number;
}

/** The volumes of one pod: made, filled, kept up to date, handed to its containers, and removed. */
export class PodVolumes {
  readonly #c: VolumesContext;
  /** What each volume of files shows, as far as this life of the sidecar knows. */
  readonly #shown = new Map<string, string>();
  /** Between the check of a path and the start of who mounts it, no other container of the pod may start. */
  readonly #gate: LimitFunction = pLimit(1);
  /** What the volumes were filled with, in this life of the sidecar. */
  #filled: Job['payload'] | undefined;

  constructor(context: VolumesContext) {
    this.#c = context;
  }

  async make(job: Job, signal: AbortSignal): Promise<void> {
    const { engine, site } = this.#c;
    const labels = jobLabels(job, site);
    const { emptyDir } = ownershipOf(job.pod);
    await Promise.all(
      ownVolumes(job.pod).map((volume) => {
        const memory = memoryOptions(volume);
        return engine.volumes.create(
          volumeName(job, volume.name),
          labels,
          memory && { ...memory, ...emptyDir },
          signal,
        );
      }),
    );
  }

  /** Before the sandbox starts: nobody sees half of it. */
  async fill(job: Job, sandboxId: string, signal: AbortSignal, also?: (tar: Pack) => void): Promise<void> {
    this.#filled = job.payload;
    const archive = await volumesArchive(job, `..${this.#c.now()}`, also);
    await this.#c.engine.putArchive(sandboxId, sandboxVolumes, archive, signal);
    for (const volume of fileVolumes(job)) this.#shown.set(volume.name, contentHash(job, volume));
  }

  /** New content for the running pod, each volume in one rename. What shows it already is left alone. */
  update(job: Job, sandboxId: string, signal: AbortSignal): Promise<void> {
    return this.#gate(async () => {
      this.#filled = job.payload;
      const changed = fileVolumes(job).filter((volume) => this.#shown.get(volume.name) !== contentHash(job, volume));
      if (changed.length === 0) return;
      try {
        await this.#swap(job, changed, sandboxId, signal);
      } catch (cause) {
        // The sandbox is between two lives: that is no word on the pod.
        if (!isCode(cause, 'NotFound', 'Gone')) throw cause;
        throw new InterlinkError('Unavailable', 'the sandbox of the pod is not running', { cause });
      }
    });
  }

  async #swap(job: Job, changed: readonly Volume[], sandboxId: string, signal: AbortSignal): Promise<void> {
    const { engine, now } = this.#c;
    const generation = `..${now()}`;
    await engine.putArchive(sandboxId, sandboxVolumes, await contentArchive(job, changed, generation), signal);
    for (const volume of changed) {
      const argv = ['/sandbox', 'swap', `${sandboxVolumes}/${volume.name}`, generation];
      const { exitCode, stderr } = await engine.volumes.run(sandboxId, argv, signal);
      if (exitCode !== 0)
        throw new InterlinkError('Internal', `volume "${volume.name}" cannot show its new content: ${stderr.trim()}`);
      this.#shown.set(volume.name, contentHash(job, volume));
    }
  }

  /** Runs `start` with the container's mounts. Until it is over, nobody who could can change where they lead. */
  async withMounts<T>(
    job: Job,
    container: Container,
    env: ReadonlyMap<string, string>,
    facts: PodFacts,
    signal: AbortSignal,
    start: (mounts: MountSettings[]) => Promise<T>,
  ): Promise<T> {
    // An update that came while they were being filled.
    if (this.#filled !== undefined && this.#filled !== job.payload)
      await this.update(job, facts.sandbox?.id ?? '', signal);
    const placed = wantedMounts(job.pod, container, this.#c.rules).map((wanted) => placeMount(wanted, container, env));
    const guarded = () => this.#guarded(job, container.name, placed, facts, signal, start);
    const turn = hasPaths(job, this.#c.rules) ? () => this.#gate(guarded) : guarded;
    return placed.some(({ source }) => source.kind !== 'own') ? this.#c.shared.turn(turn) : turn();
  }

  async #guarded<T>(
    job: Job,
    containerName: string,
    placed: readonly PlacedMount[],
    facts: PodFacts,
    signal: AbortSignal,
    start: (mounts: MountSettings[]) => Promise<T>,
  ): Promise<T> {
    const { engine, rules, shared } = this.#c;
    const sandboxId = facts.sandbox?.id ?? '';
    for (const mount of placed) shared.mustBeAlone(job, mount);
    const checked = new Set(placed.filter(({ below }) => below !== '').map(({ mount }) => mount.name));
    const writers = writersOf(job, facts, checked, rules);
    try {
      await Promise.all(writers.map((id) => engine.volumes.pause(id, signal)));
      const mounts: MountSettings[] = [];
      for (const wanted of placed) {
        const path = wanted.needsPath
          ? await resolvePath(job, wanted, containerName, { engine: engine.volumes, sandboxId, signal })
          : undefined;
        mounts.push(mountOf(job, wanted, path));
      }
      return await start(mounts);
    } finally {
      await Promise.all(writers.map((id) => engine.volumes.unpause(id, signal)));
    }
  }

  /** Nothing is left, also of an earlier life's; the containers are gone already. */
  async remove(job: Job, signal: AbortSignal): Promise<void> {
    const { engine, sandboxImage, site, rules } = this.#c;
    if (hasSharedMounts(job.pod)) {
      const body = await leftMountsBody(job, { engine: engine.volumes, image: sandboxImage, site, rules }, signal);
      if (body !== undefined) await engine.volumes.runHelper(`${sandboxName(job)}--unmount`, body, signal);
    }
    await Promise.all(ownVolumes(job.pod).map(({ name }) => engine.volumes.remove(volumeName(job, name), signal)));
  }
}

/** Whether any container of the pod has a mount whose path is looked at. */
function hasPaths({ pod }: Job, rules: VolumeRules): boolean {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) =>
    wantedMounts(pod, container, rules).some(({ needsPath }) => needsPath),
  );
}

/** Containers of the pod, running or about to, that could change what is in these volumes. */
function writersOf({ pod }: Job, facts: PodFacts, volumes: ReadonlySet<string>, rules: VolumeRules): string[] {
  if (volumes.size === 0) return [];
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return facts
    .all()
    .filter(({ role, state }) => role !== 'sandbox' && state !== 'exited')
    .filter(({ name }) => {
      const container = containers.find((one) => one.name === name);
      // One that is not of the spec (an ephemeral one) may mount anything.
      if (container === undefined) return true;
      return wantedMounts(pod, container, rules).some(({ mount, readOnly }) => !readOnly && volumes.has(mount.name));
    })
    .map(({ id }) => id);
}
