import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterlinkError, type LogRequest, type PingReply, type PodStatus } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Backend, Job, Reporter } from '@interlink/sidecar-kit';
import pLimit from 'p-limit';
import { checkPod } from './check-pod.ts';
import { parseEngineEvent, type EngineCalls, type EngineEvent } from './engine.ts';
import { PodFacts } from './facts.ts';
import { Images } from './images.ts';
import { label, sandboxName, volumeName } from './labels.ts';
import { logQuery, plainLog } from './logs.ts';
import { PodWorker, type WorkerContext } from './pod-worker.ts';
import { mountedVolumes } from './volumes.ts';

export interface DockerBackendOptions {
  readonly engine: EngineCalls;
  readonly site: string;
  readonly sandboxImage: string;
  readonly podIPsRoutable: boolean;
  readonly hostIP: string | undefined;
  /** What the engine cannot tell, or should not offer whole. */
  readonly capacity: { readonly cpu?: string | undefined; readonly memory?: string | undefined; readonly pods: string };
  readonly log: Logger;
}

const atOnce = 24;

/** Pods on a Docker engine: a sandbox container each, whose network and IPC the pod's containers share. */
export class DockerBackend implements Backend {
  readonly kind = 'docker';
  readonly #o: DockerBackendOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #limit = pLimit(atOnce);
  readonly #context: WorkerContext;
  #reporter: Reporter | undefined;
  #synced = false;

  constructor(options: DockerBackendOptions) {
    this.#o = options;
    this.#context = {
      ...options,
      images: new Images(options.engine, options.log),
      limit: this.#limit,
      report: (job: Job, status: PodStatus) => this.#reporter?.status(job, status),
      now: Date.now,
    };
  }

  check(job: Job): void {
    checkPod(job.pod);
  }

  submit(job: Job): Promise<string> {
    this.#mustBeSynced();
    this.#worker(job).touch();
    return Promise.resolve(sandboxName(job));
  }

  async cancel(job: Job, deadline: number, signal: AbortSignal): Promise<void> {
    this.#mustBeSynced();
    const { engine, site } = this.#o;
    const worker = this.#worker(job);
    await worker.stop();
    worker.facts = await this.#facts(await engine.list(site, job.id, signal), signal);
    const containers = worker.facts.all().filter(({ role }) => role !== 'sandbox');
    const graceSeconds = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
    const running = containers.filter(({ state }) => state === 'running');
    await Promise.all(running.map(({ id }) => engine.stop(id, graceSeconds, signal)));
    for (const fact of (
      await this.#facts(
        running.map(({ id }) => id),
        signal,
      )
    ).all())
      worker.facts.put(fact);
    worker.report();
    // Until the engine has none: a create of an earlier life of ours may still have been under way at the first look.
    let left = worker.facts.all().map(({ id }) => id);
    for (let tries = 0; left.length > 0; tries++) {
      if (tries > 0) await sleep(Math.min(5000, 50 * 2 ** tries) * (0.5 + Math.random()), undefined, { signal });
      await Promise.all(left.map((id) => this.#limit(() => engine.removeContainer(id, signal))));
      left = await engine.list(site, job.id, signal);
    }
    const volumes = mountedVolumes(job.pod);
    await Promise.all(volumes.map(({ name }) => this.#limit(() => engine.removeVolume(volumeName(job, name), signal))));
    this.#workers.delete(job.id);
  }

  async observe(jobs: () => Iterable<Job>, report: Reporter, signal: AbortSignal): Promise<void> {
    const { engine, site, log } = this.#o;
    this.#reporter = report;
    const ended = new AbortController();
    const whileObserving = AbortSignal.any([signal, ended.signal]);
    try {
      // Events first, then the list: what happens in between is seen twice rather than never.
      const events = await engine.events(site, Math.floor(Date.now() / 1000) - 1, whileObserving);
      const facts = await this.#facts(await engine.list(site, undefined, whileObserving), whileObserving);
      const byJob = Map.groupBy(facts.all(), (fact) => fact.job);
      for (const job of jobs()) {
        const worker = this.#worker(job);
        worker.facts = new PodFacts();
        for (const fact of byJob.get(job.id) ?? []) worker.facts.put(fact);
        worker.report();
      }
      const strangers = [...byJob.keys()].filter((job) => !this.#workers.has(job));
      if (strangers.length > 0) log.info({ jobs: strangers.length }, 'containers of this site without a wanted job');
      this.#synced = true;
      report.synced();
      for (const worker of this.#workers.values()) worker.touch();
      for await (const line of createInterface({ input: events })) {
        // Looking at all again tells what an event would have whose container could not be looked at.
        if (line.trim() !== '') this.#handle(parseEngineEvent(line), whileObserving, () => ended.abort());
      }
      if (!signal.aborted) throw new InterlinkError('Unavailable', 'the Docker engine ended its event stream');
    } finally {
      this.#synced = false;
      ended.abort();
    }
  }

  async logs(job: Job, request: LogRequest, signal: AbortSignal): Promise<Readable> {
    const { facts } = this.#worker(job);
    const name = request.ContainerName;
    const known = [...job.pod.spec.containers, ...(job.pod.spec.initContainers ?? [])].some(
      (container) => container.name === name,
    );
    const main = facts.attempts('main', name);
    const attempts = main.latest ? main : facts.attempts('init', name);
    const fact = request.Opts.Previous ? attempts.previous : attempts.latest;
    if (fact === undefined) {
      const why = !known
        ? 'there is no such container in the pod'
        : request.Opts.Previous
          ? 'it has not been restarted'
          : 'it is waiting to start';
      throw new InterlinkError('Malformed', `container "${name}" in pod "${request.PodName}": ${why}`);
    }
    const framed = await this.#o.engine.logs(fact.id, logQuery(request.Opts, Date.now()), signal);
    return plainLog(framed, request.Opts.Bytes);
  }

  async capacity(signal: AbortSignal): Promise<PingReply> {
    const { cpus, memoryBytes } = await this.#o.engine.capacity(signal);
    const { cpu, memory, pods } = this.#o.capacity;
    return {
      status: 'ok',
      resources: { cpu: cpu ?? String(cpus), memory: memory ?? `${Math.floor(memoryBytes / 1024)}Ki`, pods },
    };
  }

  #handle(event: EngineEvent, signal: AbortSignal, lost: () => void): void {
    const worker = this.#workers.get(event.Actor.Attributes[label.job] ?? '');
    if (worker === undefined) return;
    const { ID: id } = event.Actor;
    if (event.Action === 'destroy') {
      worker.facts.remove(id);
      worker.touch();
      return;
    }
    this.#limit(() => this.#o.engine.inspect(id, signal))
      .then((fact) => {
        if (fact !== undefined) worker.facts.put(fact);
        worker.touch();
      })
      .catch((err: unknown) => {
        this.#o.log.warn({ err, uid: worker.job.uid }, 'a container could not be looked at');
        lost();
      });
  }

  async #facts(ids: readonly string[], signal: AbortSignal): Promise<PodFacts> {
    const facts = new PodFacts();
    const found = await Promise.all(ids.map((id) => this.#limit(() => this.#o.engine.inspect(id, signal))));
    for (const fact of found) if (fact !== undefined) facts.put(fact);
    return facts;
  }

  #worker(job: Job): PodWorker {
    let worker = this.#workers.get(job.id);
    if (worker === undefined) {
      worker = new PodWorker(job, this.#context);
      this.#workers.set(job.id, worker);
    }
    return worker;
  }

  #mustBeSynced(): void {
    if (!this.#synced)
      throw new InterlinkError('Unavailable', `site ${this.#o.site}: the Docker engine has not been looked at yet`);
  }
}
