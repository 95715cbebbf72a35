import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { z } from 'zod';

const eventSchema = z.looseObject({
  id: z.string(),
  Actor: z.looseObject({ Attributes: z.record(z.string(), z.string()) }),
});

/** Counts, from the engine's own events, how often containers of a site were started. Sandboxes do not count. */
export class EngineStarts {
  /** Container id -> UID of its pod, once for each start. */
  readonly containers = new Map<string, string>();
  readonly #starts: string[] = [];
  readonly #abort = new AbortController();

  static async watch(docker: Docker, site: string): Promise<EngineStarts> {
    const starts = new EngineStarts();
    const filters = JSON.stringify({ type: ['container'], event: ['start'], label: [`interlink.eu/site=${site}`] });
    const stream = await docker.getEvents({ filters, abortSignal: starts.#abort.signal });
    const lines = createInterface({ input: stream });
    // Only stop() ends the stream, and both ends of it say so.
    stream.on('error', () => undefined);
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const { id, Actor } = eventSchema.parse(JSON.parse(line));
      if (Actor.Attributes['interlink.eu/role'] === 'sandbox') return;
      const uid = Actor.Attributes['interlink.eu/uid'] ?? '';
      starts.containers.set(id, uid);
      starts.#starts.push(uid);
    });
    return starts;
  }

  /** Starts of any container of each pod. */
  perContainer(uids: readonly string[]): number[] {
    return uids.map((uid) => this.#starts.filter((started) => started === uid).length);
  }

  stop(): void {
    this.#abort.abort();
  }
}
