import { ownerHeader, routes, type Leg } from '@interlink/contract';
import { atMost } from './at-most.ts';
import type { Peer } from './peer.ts';
import { podRef, type TestPod } from './test-pod.ts';

const deadlineMs = 20_000;
const atOnce = 16;

/** What was created, whatever the target answered to it, so that nothing is left there. */
export class CreatedPods {
  readonly #peer: Peer;
  readonly #leg: Leg;
  readonly #pods = new Map<string, { readonly pod: TestPod; readonly owner: string }>();

  constructor(peer: Peer, leg: Leg) {
    this.#peer = peer;
    this.#leg = leg;
  }

  add(pod: TestPod, owner: string): void {
    this.#pods.set(`${owner} ${pod.uid}`, { pod, owner });
  }

  /** Deletes all, without a grace period. @returns what could not be deleted. */
  async deleteAll(): Promise<string[]> {
    const pods = [...this.#pods.values()];
    this.#pods.clear();
    const results = await atMost(atOnce, pods, async ({ pod, owner }) => {
      try {
        const { status } = await this.#peer.send({
          method: routes.delete.method[this.#leg],
          path: routes.delete.path,
          headers: { [ownerHeader]: owner, 'Content-Type': 'application/json' },
          body: JSON.stringify({ ...pod.pod, ...podRef(pod, 0) }),
          signal: AbortSignal.timeout(deadlineMs),
        });
        // 404: a classic plugin that never had it, or has forgotten it.
        return status === 200 || status === 404 ? [] : [`pod ${pod.uid} of ${owner}: ${status}`];
      } catch (error) {
        return [`pod ${pod.uid} of ${owner}: ${error instanceof Error ? error.message : String(error)}`];
      }
    });
    return results.flat();
  }
}
