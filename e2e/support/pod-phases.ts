import { setTimeout as sleep } from 'node:timers/promises';
import { podSchema } from '@interlink/contract';
import type { World } from './world.ts';

/** The phases that each pod of the default namespace has gone through, by name: what a watch has seen, repeats left out. */
export class PodPhases {
  readonly #phases = new Map<string, string[]>();
  readonly #abort = new AbortController();
  readonly #watch: Promise<void>;

  constructor({ kube }: Pick<World, 'kube'>) {
    this.#watch = this.#run(kube);
  }

  async #run(kube: World['kube']): Promise<void> {
    for await (const event of kube.watch({ path: '/api/v1/namespaces/default/pods', signal: this.#abort.signal })) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
      const { metadata, status } = podSchema.parse(event.object);
      const phases = this.#phases.get(metadata.name) ?? [];
      if (status?.phase && phases.at(-1) !== status.phase) phases.push(status.phase);
      this.#phases.set(metadata.name, phases);
    }
  }

  of(name: string): readonly string[] {
    return this.#phases.get(name) ?? [];
  }

  async stop(): Promise<void> {
    // The last events may still be on their way.
    await sleep(200);
    this.#abort.abort();
    await this.#watch;
  }
}
