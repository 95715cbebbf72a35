import { jest } from '@jest/globals';
import type { PodStatus } from '@interlink/contract';
import { createLogger } from '@interlink/service-kit';
import type { Job } from '@interlink/sidecar-kit';
import { DockerBackend } from '../docker-backend.ts';
import type { Grants } from '../registry/pull-records.ts';
import { FakeEngine } from './fake-engine.ts';
import { siteDefaults, startOfTime } from './jobs.ts';

/** Every image is everybody's. */
const records: Grants = {
  allows: () => true,
  begin: () => Promise.resolve(),
  fail: () => Promise.resolve(),
  pulled: () => Promise.resolve(),
};

const log = createLogger({ name: 'spec', version: '0', level: 'fatal', destination: { write: () => undefined } });

/** An engine in memory, the sidecar's lives beside it, and time that passes only when told to. */
export class DockerSite {
  readonly engine = new FakeEngine();
  /** All that was reported, in order. */
  readonly statuses: PodStatus[] = [];
  readonly wanted = new Set<Job>();
  #stop = new AbortController();

  constructor() {
    jest.useFakeTimers({ now: startOfTime });
  }

  async start(): Promise<{ backend: DockerBackend; observing: Promise<void> }> {
    const { engine } = this;
    const options = { site: 's', sandboxImage: 'sandbox:1', podIPsRoutable: false, hostIP: undefined, ...siteDefaults };
    const backend = new DockerBackend({ ...options, engine, records, capacity: { pods: '250' }, log });
    const report = {
      status: (_job: Job, status: PodStatus) => void this.statuses.push(status),
      synced: () => undefined,
    };
    const observing = backend.observe(() => this.wanted, report, this.#stop.signal);
    observing.catch(() => undefined);
    await this.pass(0);
    return { backend, observing };
  }

  /** The sidecar ends; the containers do not. */
  stop(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  end(): void {
    this.stop();
    jest.useRealTimers();
  }

  /** Time goes on by so many seconds, and all that is due gets done. */
  async pass(seconds: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(seconds * 1000 + 1);
    // Streams take several turns of the event loop to end, whatever the clock says.
    for (let turn = 0; turn < 10; turn++) await jest.advanceTimersByTimeAsync(0);
  }

  async submit(backend: DockerBackend, job: Job): Promise<void> {
    this.wanted.add(job);
    await backend.submit(job);
    await this.pass(0);
  }
}
