import { InterlinkError } from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import pLimit, { type LimitFunction } from 'p-limit';
import { containersOf, isBelow } from './sources.ts';
import type { VolumeRules } from './volume-rules.ts';
import { wantedMounts } from './mounts.ts';
import type { PlacedMount } from './paths.ts';

/** The pods that have a running container, now. */
export type RunningJobs = () => Iterable<Job>;

/**
 * Folders and volumes that several pods mount. A path in one of them is only bound while no other pod could put a
 * symbolic link in its way.
 */
export class SharedPaths {
  readonly #running: RunningJobs;
  readonly #rules: VolumeRules;
  /** Who mounts such a folder starts alone, so that none becomes a writer between a check and a start. */
  readonly #turns: LimitFunction = pLimit(1);

  constructor(running: RunningJobs, rules: VolumeRules) {
    this.#running = running;
    this.#rules = rules;
  }

  turn<T>(run: () => Promise<T>): Promise<T> {
    return this.#turns(run);
  }

  /** @throws InterlinkError Invalid that names the pod which could change where the path leads. */
  mustBeAlone(job: Job, { mount, source, below }: PlacedMount): void {
    if (source.kind === 'own' || below === '') return;
    const path = absolute(source, below);
    for (const other of this.#running()) {
      if (other.id === job.id || !mayRedirect(other, path, this.#rules)) continue;
      const { namespace, name } = other.pod.metadata;
      throw new InterlinkError(
        'Invalid',
        `volume "${mount.name}": pod ${namespace}/${name} can change where ${path} leads while it is mounted; ` +
          'mount that folder itself, or wait until that pod has ended',
      );
    }
  }
}

/** Whether a container of the pod may write the folder of any part of the path, whatever the subPath expands to. */
function mayRedirect({ pod }: Job, path: string, rules: VolumeRules): boolean {
  return containersOf(pod).some((container) =>
    wantedMounts(pod, container, rules).some(({ mount, source, readOnly }) => {
      if (readOnly || source.kind === 'own') return false;
      const parts = [source.kind === 'host' ? source.below : '', mount.subPathExpr ? '' : (mount.subPath ?? '')];
      const written = absolute(source, parts.filter((part) => part !== '').join('/'));
      return path !== written && isBelow(path, written);
    }),
  );
}

function absolute(source: Exclude<PlacedMount['source'], { kind: 'own' }>, below: string): string {
  // An engine volume is a name, not a path; what is below it looks the same.
  const root = source.kind === 'host' ? source.root.replace(/\/$/, '') : `volume ${source.name}`;
  return below === '' ? root || '/' : `${root}/${below}`;
}
