import type { Duplex, Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  InterlinkError,
  type AttachRequest,
  type CommandStreams,
  type ExecRequest,
  type LogRequest,
  type PingReply,
  type PortForwardRequest,
  type SiteStats,
} from '@interlink/contract';
import type { Backend, Job, Reporter } from '@interlink/sidecar-kit';
import pLimit from 'p-limit';
import { checkPod, type SiteRules } from './check-pod.ts';
import { Devices } from './devices/devices.ts';
import { workerContext, type DockerBackendOptions } from './worker-context.ts';
import { parseEngineEvent, type EngineEvent } from './engine.ts';
import { PodFacts } from './facts.ts';
import { label, sandboxName } from './labels.ts';
import { logQuery, plainLog } from './logs.ts';
import { PodWorker, type WorkerContext } from './pod-worker.ts';
import { hasTerminal } from './spec/pod-fields.ts';
import { PodStreams } from './streams/pod-streams.ts';
import { watchSizes } from './volumes/size-limits.ts';

const atOnce = 24;

/** Pods on a Docker engine: a sandbox container each, whose network and IPC the pod's containers share. */
export class DockerBackend implements Backend {
  readonly kind = 'docker';
  readonly #o: DockerBackendOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #limit = pLimit(atOnce);
  readonly #context: WorkerContext;
  readonly #devices: Devices;
  readonly #streams: PodStreams;
  #reporter: Reporter | undefined;
  #synced = false;
  /** Of the engine's API: 41 for 1.41. */
  #apiMinor: number | undefined;

  constructor(options: DockerBackendOptions) {
    this.#o = options;
    this.#devices = new Devices(options.devices);
    this.#streams = new PodStreams({
      calls: options.engine.streams,
      limit: this.#limit,
      factsOf: (job) => {
        this.#mustBeSynced();
        return this.#worker(job).facts;
      },
    });
    this.#context = workerContext(options, {
      devices: this.#devices,
      limit: this.#limit,
      running: () => this.#running(),
      report: (job, status) => this.#reporter?.status(job, status),
    });
  }

  check(job: Job): void {
    checkPod(job.pod, this.#rules());
  }

  submit(job: Job): Promise<string> {
    this.#mustBeSynced();
    this.#worker(job).touch();
    return Promise.resolve(sandboxName(job));
  }

  async update(job: Job, signal: AbortSignal): Promise<void> {
    this.#mustBeSynced();
    await this.#worker(job).update(job, signal);
  }

  async cancel(job: Job, deadline: number, signal: AbortSignal): Promise<void> {
    this.#mustBeSynced();
    const { engine, site } = this.#o;
    const worker = this.#worker(job);
    await worker.stop();
    worker.facts.reset((await this.#facts(await engine.list(site, job.id, signal), signal)).all());
    await worker.terminate(deadline, signal);
    await worker.hearLastWords(signal);
    worker.report();
    // Until the engine has none: a create of an earlier life of ours may still have been under way at the first look.
    let left = worker.facts.all().map(({ id }) => id);
    for (let tries = 0; left.length > 0; tries++) {
      if (tries > 0) await sleep(Math.min(5000, 50 * 2 ** tries) * (0.5 + Math.random()), undefined, { signal });
      await Promise.all(left.map((id) => this.#limit(() => engine.removeContainer(id, signal))));
      left = await engine.list(site, job.id, signal);
    }
    await this.#limit(() => worker.volumes.remove(job, signal));
    this.#workers.delete(job.id);
    this.#devices.release(job.id);
  }

  async observe(jobs: () => Iterable<Job>, report: Reporter, signal: AbortSignal): Promise<void> {
    const { engine, site, log } = this.#o;
    this.#reporter = report;
    const ended = new AbortController();
    let watching: Promise<void> | undefined;
    const whileObserving = AbortSignal.any([signal, ended.signal]);
    try {
      // Events first, then the list: what happens in between is seen twice rather than never.
      this.#apiMinor = await engine.volumes.apiMinor(whileObserving);
      const events = await engine.events(site, Math.floor(Date.now() / 1000) - 1, whileObserving);
      const facts = await this.#facts(await engine.list(site, undefined, whileObserving), whileObserving);
      const byJob = Map.groupBy(facts.all(), (fact) => fact.job);
      this.#devices.recover(facts.all(), jobs());
      const looked: PodWorker[] = [];
      for (const job of jobs()) {
        const worker = this.#worker(job);
        worker.facts.reset(byJob.get(job.id) ?? []);
        looked.push(worker);
      }
      await Promise.all(looked.map((worker) => worker.hearLastWords(whileObserving)));
      for (const worker of looked) worker.report();
      // A life of ours that ended between the check of a path and a start left them so.
      for (const id of await engine.volumes.paused(site, whileObserving))
        await engine.volumes.unpause(id, whileObserving);
      const strangers = [...byJob.keys()].filter((job) => !this.#workers.has(job));
      if (strangers.length > 0) log.info({ jobs: strangers.length }, 'containers of this site without a wanted job');
      this.#synced = true;
      report.synced();
      for (const worker of this.#workers.values()) worker.touch();
      watching = watchSizes(
        () => this.#workers.values(),
        { engine: engine.volumes, limit: this.#limit, log },
        whileObserving,
      );
      for await (const line of createInterface({ input: events })) {
        // Looking at all again tells what an event would have whose container could not be looked at.
        if (line.trim() !== '') this.#handle(parseEngineEvent(line), whileObserving, () => ended.abort());
      }
      if (!signal.aborted) throw new InterlinkError('Unavailable', 'the Docker engine ended its event stream');
    } finally {
      this.#synced = false;
      ended.abort();
      await watching;
    }
  }

  async logs(job: Job, request: LogRequest, signal: AbortSignal): Promise<Readable> {
    const { facts } = this.#worker(job);
    const name = request.ContainerName;
    const { containers, initContainers, ephemeralContainers } = job.pod.spec;
    const known = [...containers, ...(initContainers ?? []), ...(ephemeralContainers ?? [])].some(
      (container) => container.name === name,
    );
    const roles = ['main', 'init', 'ephemeral'] as const;
    const attempts = roles.map((role) => facts.attempts(role, name)).find(({ latest }) => latest) ?? {};
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
    return plainLog(framed, request.Opts.Bytes, hasTerminal(job.pod, name));
  }

  exec(job: Job, request: ExecRequest, signal: AbortSignal): Promise<CommandStreams> {
    return this.#streams.exec(job, request, signal);
  }

  attach(job: Job, request: AttachRequest, signal: AbortSignal): Promise<CommandStreams> {
    return this.#streams.attach(job, request, signal);
  }

  portForward(job: Job, request: PortForwardRequest, signal: AbortSignal): Promise<Duplex> {
    return this.#streams.portForward(job, request, signal);
  }

  stats(jobs: readonly Job[], signal: AbortSignal): Promise<SiteStats['pods']> {
    return this.#streams.stats(jobs, signal);
  }

  async capacity(signal: AbortSignal): Promise<PingReply> {
    const { cpus, memoryBytes } = await this.#o.engine.capacity(signal);
    const { cpu, memory, pods } = this.#o.capacity;
    const accelerators = this.#devices.offered();
    return {
      status: 'ok',
      resources: {
        cpu: cpu ?? String(cpus),
        memory: memory ?? `${Math.floor(memoryBytes / 1024)}Ki`,
        pods,
        ...(accelerators.length > 0 ? { accelerators } : {}),
      },
    };
  }

  #handle(event: EngineEvent, signal: AbortSignal, lost: () => void): void {
    const worker = this.#workers.get(event.Actor.Attributes[label.job] ?? '');
    if (worker === undefined) return;
    const { ID: id } = event.Actor;
    if (event.Action === 'oom') worker.facts.markOutOfMemory(id);
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

  *#running(): Generator<Job> {
    for (const { job, facts } of this.#workers.values()) {
      if (facts.all().some(({ role, state }) => role !== 'sandbox' && state !== 'exited')) yield job;
    }
  }

  #worker(job: Job): PodWorker {
    let worker = this.#workers.get(job.id);
    if (worker === undefined) {
      worker = new PodWorker(job, this.#context);
      this.#workers.set(job.id, worker);
    }
    return worker;
  }

  #rules(): SiteRules {
    const { allow, volumes } = this.#o;
    return { allow, devices: this.#devices.totals(), volumes, apiMinor: this.#apiMinor };
  }

  #mustBeSynced(): void {
    if (!this.#synced)
      throw new InterlinkError('Unavailable', `site ${this.#o.site}: the Docker engine has not been looked at yet`);
  }
}
