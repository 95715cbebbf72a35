import { KubeClient, Reflector } from '@interlink/kube';
import { z } from 'zod';
import type { PodPlace } from './bench-pod.ts';
import { now } from './helper-process.ts';

const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string(), resourceVersion: z.string() }),
  status: z.object({ phase: z.string().optional() }).optional(),
});
type Pod = z.infer<typeof podSchema>;

/** What is seen to happen to a pod. */
export type Step = 'running' | 'ended' | 'deleted';

/** When each pod of a node was first seen to run, to have ended, and to be gone. */
export class PodWatch {
  readonly #reflector: Reflector<Pod>;
  readonly #seen = new Map<Step, Map<string, number>>();
  #awaited: { step: Step; missing: Set<string>; done: () => void } | undefined;
  #onSynced: () => void = () => undefined;
  readonly synced = new Promise<void>((resolve) => (this.#onSynced = resolve));

  constructor(kubeconfig: string, { namespace, nodeName }: PodPlace) {
    const looked = (pod: Pod) => this.#look(pod);
    this.#reflector = new Reflector({
      client: KubeClient.load({ kubeconfig }),
      path: `/api/v1/namespaces/${namespace}/pods`,
      fieldSelector: `spec.nodeName=${nodeName}`,
      schema: podSchema,
      handlers: {
        added: looked,
        modified: looked,
        deleted: (pod) => this.#note('deleted', pod),
        synced: () => this.#onSynced(),
      },
      onError: (error) => process.stderr.write(`driver: ${error.message}\n`),
    });
  }

  /** For as long as the process lives. */
  run(): Promise<void> {
    return this.#reflector.run(new AbortController().signal);
  }

  /** Waits until this has happened to all of them; one wait at a time. @returns the times, in order. */
  async all(names: readonly string[], step: Step): Promise<number[]> {
    const missing = new Set(names.filter((name) => !this.#of(step).has(name)));
    if (missing.size > 0) {
      await new Promise<void>((resolve) => (this.#awaited = { step, missing, done: resolve }));
      this.#awaited = undefined;
    }
    return this.times(names, step);
  }

  times(names: readonly string[], step: Step): number[] {
    return names.map((name) => this.#of(step).get(name) ?? NaN);
  }

  #look(pod: Pod): void {
    const phase = pod.status?.phase;
    if (phase === 'Running') this.#note('running', pod);
    if (phase === 'Succeeded' || phase === 'Failed') this.#note('ended', pod);
  }

  #note(step: Step, { metadata: { name } }: Pod): void {
    const seen = this.#of(step);
    if (seen.has(name)) return;
    seen.set(name, now());
    const awaited = this.#awaited;
    if (awaited?.step === step && awaited.missing.delete(name) && awaited.missing.size === 0) awaited.done();
  }

  #of(step: Step): Map<string, number> {
    const seen = this.#seen.get(step) ?? new Map<string, number>();
    this.#seen.set(step, seen);
    return seen;
  }
}
