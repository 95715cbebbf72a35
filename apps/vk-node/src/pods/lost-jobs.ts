import type { ContractClient } from '@interlink/contract';
import { saysAnything } from '../site/classic-poll.ts';
import type { SiteLink } from '../site/site-link.ts';
import { siteAnnotation } from './accept.ts';
import { lostStatus } from './local-status.ts';
import type { PodWriter } from './pod-writer.ts';
import type { TrackedPod } from './tracked-pod.ts';

export interface LostJobsOptions {
  readonly api: ContractClient;
  readonly link: SiteLink;
  readonly writer: PodWriter;
  readonly owner: string;
  /** ms */
  readonly lostAfter: number;
  readonly now: () => number;
}

/** Unknown is not gone: a job counts as lost only after a while, and for its pod alone. */
export class LostJobs {
  readonly #o: LostJobsOptions;

  constructor(options: LostJobsOptions) {
    this.#o = options;
  }

  /** For a submitted pod that the link has no status of. @returns ms after which to look again; undefined: at the next news. */
  async look(tracked: TrackedPod, signal: AbortSignal): Promise<number | undefined> {
    const { link, api, writer, owner, lostAfter, now } = this.#o;
    const { pod } = tracked;
    if (pod === undefined || tracked.jobId === undefined || !link.isWhole) return undefined;
    tracked.unknownSince ??= now();
    const left = tracked.unknownSince + lostAfter - now();
    if (left > 0) return left;
    const [answer] = await api.status([link.isClassic ? pod : tracked.ref], { owner, signal });
    if (answer !== undefined && (answer.phase !== undefined || saysAnything(answer))) {
      await writer.status(tracked, answer, signal);
      return undefined;
    }
    const message = `job ${tracked.jobId} is not known${place(pod.metadata.annotations?.[siteAnnotation], link)}`;
    writer.event(pod, 'Lost', message);
    await writer.status(tracked, lostStatus(pod, 'Lost', message, new Date(now())), signal);
    return undefined;
  }
}

function place(submittedTo: string | undefined, { state }: SiteLink): string {
  if (state.state !== 'up') return '';
  const moved = submittedTo !== undefined && submittedTo !== state.site;
  return moved
    ? ` at site ${state.site}: it was submitted to site ${submittedTo}, which this node no longer serves`
    : ` at site ${state.site} any more`;
}
