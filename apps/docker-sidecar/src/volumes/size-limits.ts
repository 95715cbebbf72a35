import type { Pod } from '@interlink/contract';
import { parseQuantity, toInteger } from '@interlink/pod-model';
import type { Logger } from '@interlink/service-kit';
import type { Job } from '@interlink/sidecar-kit';
import type { LimitFunction } from 'p-limit';
import { z } from 'zod';
import type { PodFacts } from '../facts.ts';
import { sandboxVolumes } from './mounts.ts';
import { memoryOptions, ownVolumes } from './sources.ts';
import { programAnswer, type VolumeCalls } from './volume-engine.ts';

/** As often as the kubelet looks. */
const intervalMs = 10_000;

export interface SizedPod {
  readonly job: Job;
  readonly facts: PodFacts;
  /** Ends the pod; called again as long as it runs. */
  evict(message: string): void;
}

interface SizeLimit {
  readonly volume: string;
  readonly bytes: number;
  readonly text: string;
}

/** The emptyDirs on disk that may not grow at will; one in memory is a tmpfs of that size. */
export function sizeLimits(pod: Pod): SizeLimit[] {
  return ownVolumes(pod).flatMap((volume) => {
    const limit = volume.emptyDir?.sizeLimit;
    if (limit === undefined || limit === null || memoryOptions(volume) !== undefined) return [];
    const bytes = Number(toInteger(parseQuantity(limit)));
    return bytes > 0 ? [{ volume: volume.name, bytes, text: String(limit) }] : [];
  });
}

/** The kubelet's word on a volume that has grown too large; undefined: all are within their limits. */
export function overLimit(limits: readonly SizeLimit[], used: Readonly<Record<string, number>>): string | undefined {
  const over = limits.find(({ volume, bytes }) => (used[`${sandboxVolumes}/${volume}`] ?? 0) > bytes);
  return over && `Usage of EmptyDir volume "${over.volume}" exceeds the limit "${over.text}". `;
}

/** Looks at the pods that set a limit, and only at them, until the signal aborts. */
export async function watchSizes(
  pods: () => Iterable<SizedPod>,
  { engine, limit, log }: { engine: VolumeCalls; limit: LimitFunction; log: Pick<Logger, 'debug'> },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(signal);
    if (signal.aborted) return;
    await Promise.all(
      [...pods()].map(async (pod) => {
        const { job, facts } = pod;
        const limits = sizeLimits(job.pod);
        const { sandbox } = facts;
        if (limits.length === 0 || sandbox?.state !== 'running') return;
        const argv = ['/sandbox', 'usage', ...limits.map(({ volume }) => `${sandboxVolumes}/${volume}`)];
        try {
          const answer = await limit(() => engine.run(sandbox.id, argv, signal));
          const message = overLimit(limits, programAnswer(z.record(z.string(), z.number()), answer));
          if (message !== undefined) pod.evict(message);
        } catch (err) {
          // The next look is soon.
          log.debug({ err, uid: job.uid }, 'the size of volumes is not known');
        }
      }),
    );
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, intervalMs);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
