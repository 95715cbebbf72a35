import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallContext, PodPhase, PodRef, PodStatus, RetrievedPod } from '@interlink/contract';
import { createLogger } from '@interlink/service-kit';
import { jobRecordSchema, type JobRecord } from '../job.ts';
import { Sidecar } from '../sidecar.ts';
import type { MemoryBackend } from './memory-backend.ts';

export const owner = 'cluster/node';
const silent = createLogger({ name: 'spec', version: '0', level: 'fatal', destination: { write: () => undefined } });

export const request = (uid: string, spec: object = {}): RetrievedPod => ({
  pod: { metadata: { name: `p-${uid}`, namespace: 'ns', uid }, spec: { containers: [{ name: 'main' }], ...spec } },
});
export const ref = (uid: string, graceSeconds?: number): PodRef => ({
  metadata: {
    name: `p-${uid}`,
    namespace: 'ns',
    uid,
    ...(graceSeconds === undefined ? {} : { deletionGracePeriodSeconds: graceSeconds }),
  },
});
export const call = (as = owner, signal = new AbortController().signal): CallContext => ({
  owner: as,
  session: 'S#1',
  signal,
});

/** One spool and the lives of the sidecars on it. Time stands still at `now`, apart from what really waits. */
export class SidecarRuns {
  readonly folder = mkdtempSync(join(tmpdir(), 'il-'));
  now = Date.parse('2026-01-01T00:00:00Z');
  readonly #lives: { readonly stop: AbortController; readonly run: Promise<void> }[] = [];

  /** What the spool has now. */
  records(): JobRecord[] {
    return readdirSync(this.folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => jobRecordSchema.parse(JSON.parse(readFileSync(join(this.folder, file), 'utf8'))));
  }

  async start(backend: MemoryBackend): Promise<Sidecar> {
    const sidecar = await Sidecar.open({
      site: 's',
      server: 'spec/1',
      backend,
      spoolFolder: this.folder,
      log: silent,
      now: () => this.now,
    });
    const stop = new AbortController();
    this.#lives.push({ stop, run: sidecar.run(stop.signal) });
    return sidecar;
  }

  async stop(): Promise<void> {
    for (const { stop, run } of this.#lives.splice(0)) {
      stop.abort();
      await run;
    }
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** The status of one pod once it is in this phase. */
export async function statusIn(sidecar: Sidecar, uid: string, phase: PodPhase): Promise<PodStatus> {
  for (;;) {
    const [found] = await sidecar.status([ref(uid)], call()).catch(() => []);
    if (found?.phase === phase) return found;
    await sleep(5);
  }
}

export async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(5);
}
