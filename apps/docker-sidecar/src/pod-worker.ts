import { InterlinkError, type Container, type PodStatus } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Job } from '@interlink/sidecar-kit';
import type { LimitFunction } from 'p-limit';
import type { SpecSettings } from './container-spec.ts';
import type { Devices } from './devices/devices.ts';
import type { EngineCalls } from './engine.ts';
import { PodFacts, type ContainerFact } from './facts.ts';
import { LastWords } from './hooks/last-words.ts';
import { PodHooks } from './hooks/pod-hooks.ts';
import { graceSecondsOf } from './hooks/termination.ts';
import { backingOff, type Images } from './images.ts';
import { plan, type ImageWait, type Step } from './plan.ts';
import { PodMaker } from './pod-maker.ts';
import { podStatus } from './pod-status.ts';
import { PodHealth } from './probes/health.ts';
import { PodProbers } from './probes/pod-probers.ts';
import { Resizer } from './spec/resize.ts';
import { PodVolumes, type VolumesContext } from './volumes/pod-volumes.ts';
import { WorkerTasks } from './worker-tasks.ts';

export interface WorkerContext {
  readonly engine: EngineCalls;
  readonly images: Images;
  readonly site: string;
  readonly settings: SpecSettings;
  readonly devices: Devices;
  readonly volumes: VolumesContext;
  readonly podIPsRoutable: boolean;
  /** What status.hostIP resolves to; undefined: the host's address on the pod's network. */
  readonly hostIP: string | undefined;
  /** Bounds what all workers together ask of the engine at once. */
  readonly limit: LimitFunction;
  readonly report: (job: Job, status: PodStatus) => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** Drives one pod: looks at what the engine says, does the next steps, and again when something has happened. */
export class PodWorker {
  job: Job;
  readonly volumes: PodVolumes;
  readonly waits = new Map<string, ImageWait>();
  readonly facts = new PodFacts();
  readonly #c: WorkerContext;
  readonly #stop = new AbortController();
  readonly #tasks: WorkerTasks;
  readonly #maker: PodMaker;
  readonly #health: PodHealth;
  readonly #hooks: PodHooks;
  readonly #probers: PodProbers;
  readonly #lastWords: LastWords;
  readonly #resizer: Resizer;
  /** Why the site ends the pod. */
  #evicted: string | undefined;
  #touched = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings, in ms since the epoch. */
  #wake = Infinity;

  constructor(job: Job, context: WorkerContext) {
    this.job = job;
    this.#c = context;
    this.#evicted = job.lastStatus?.reason === 'Evicted' ? job.lastStatus.message : undefined;
    this.volumes = new PodVolumes(context.volumes);
    this.#tasks = new WorkerTasks(context.now);
    this.#maker = new PodMaker(context, this);
    this.#health = new PodHealth(job.lastStatus);
    this.#hooks = new PodHooks(context, this);
    this.#probers = new PodProbers(context, this, this.#health, () => this.touch());
    this.#lastWords = new LastWords(context, this);
    this.#resizer = new Resizer(context, this);
  }

  /** Nothing is begun any more. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** The job as it is now; resolves when a running pod's volumes show its content. */
  async update(job: Job, signal: AbortSignal): Promise<void> {
    const before = new Map(everyContainer(this.job).map(({ name, image }) => [name, image]));
    this.job = job;
    for (const { name, image } of everyContainer(job)) if (before.get(name) !== image) this.waits.delete(name);
    const { sandbox } = this.facts;
    // A pod that has not begun is filled with what the job has then.
    if (sandbox?.state === 'running') await this.#c.limit(() => this.volumes.update(job, sandbox.id, signal));
    this.touch();
  }

  /** The pod takes more than it may have: it ends. */
  evict(message: string): void {
    this.#evicted ??= message;
    this.touch();
  }

  /** Something may have changed. Never throws; work goes on in the background until {@link stop}. */
  touch(): void {
    if (this.#touched || this.stopped.aborted) return;
    this.#touched = true;
    queueMicrotask(() => {
      this.#touched = false;
      if (!this.stopped.aborted) this.#pass();
    });
  }

  /** No further step is taken; resolves when those under way are over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.all([this.#tasks.idle(), this.#probers.stop()]);
  }

  /** Stops all that runs by `deadline` (ms since the epoch), in Kubernetes' order. */
  async terminate(deadline: number, signal: AbortSignal): Promise<void> {
    const running = this.facts.all().filter(({ role, state }) => role !== 'sandbox' && state === 'running');
    const targets = running.flatMap((fact) => {
      const container = this.containerOf(fact);
      return container === undefined ? [] : [{ fact, container }];
    });
    await this.#hooks.terminateAll(targets, deadline, signal);
    await Promise.all(running.map(({ id }) => this.#maker.look(id, signal)));
  }

  /** Reads what ended containers left to be said; a status without it would be only half of the truth. */
  async hearLastWords(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#lastWords.unheard().map((fact) => this.#c.limit(() => this.#lastWords.hear(fact, signal))));
  }

  report(): void {
    const { site, podIPsRoutable, hostIP, now } = this.#c;
    const context = {
      ...{ site, podIPsRoutable, hostIP, waits: this.waits, deleting: this.stopped.aborted, now: now() },
      ...{ health: this.#health.of, messages: this.#lastWords.messages, evicted: this.#evicted },
    };
    this.#c.report(this.job, podStatus(this.job, this.facts, context));
  }

  containerOf({ role, name }: ContainerFact): Container | undefined {
    const { containers, initContainers, ephemeralContainers } = this.job.pod.spec;
    const list = role === 'main' ? containers : role === 'init' ? initContainers : ephemeralContainers;
    return list?.find((container) => container.name === name);
  }

  #pass(): void {
    clearTimeout(this.#timer);
    this.#wake = Infinity;
    const { pod, startTime } = this.job;
    const { facts, waits } = this;
    this.#probers.sync();
    const now = this.#c.now();
    const isEvicted = this.#evicted !== undefined;
    const steps = plan({ pod, startTime, facts, waits, health: this.#health.of, now, isEvicted });
    const unheard = this.#lastWords.unheard();
    for (const fact of unheard)
      this.#begin(`hear ${fact.id}`, () => this.#c.limit(() => this.#lastWords.hear(fact, neverAborted)));
    if (unheard.length === 0) this.report();
    for (const resize of this.#resizer.due())
      this.#begin(`resize ${resize.id}`, () => this.#resizer.apply(resize, neverAborted));
    for (const step of steps) {
      // The end is told before the container starts again.
      if (step.do === 'start' && unheard.some(({ name }) => name === step.start.container.name)) continue;
      if (step.do === 'wait') this.#wait(step.at);
      else this.#begin(keyOf(step), () => this.#perform(step));
    }
  }

  #begin(key: string, work: () => Promise<void>): void {
    const restUntil = this.#tasks.begin(key, work, (thrown) => {
      if (thrown !== undefined && !this.stopped.aborted) {
        const err = InterlinkError.from(thrown, 'Internal');
        this.#c.log.warn({ err, uid: this.job.uid, step: key }, 'a step failed; trying again');
      }
      // The end of a sandbox comes as an event; until then it would only be stopped again.
      if (thrown !== undefined || key !== 'finish') this.touch();
    });
    if (restUntil !== undefined) this.#wakeAt(restUntil);
  }

  /** The earliest of all that was asked for since the last look. */
  #wakeAt(at: number): void {
    if (at >= this.#wake) return;
    this.#wake = at;
    clearTimeout(this.#timer);
    // Longer ones would overflow: waking up early does no harm.
    this.#timer = setTimeout(() => this.touch(), Math.min(maxTimerMs, Math.max(0, at - this.#c.now())));
  }

  async #perform(step: Exclude<Step, { do: 'wait' }>): Promise<void> {
    // Engine calls are not cut by a stop: the engine would go on with them, behind the back of whoever cleans up.
    switch (step.do) {
      case 'prepare':
        return this.#maker.prepare(neverAborted);
      case 'start':
        return this.#maker.start(step.start, neverAborted);
      case 'postStart':
        return this.#health.hookDone(step.fact, step.container, await this.#hooks.postStart(step, this.stopped));
      case 'kill':
        await this.#hooks.kill(step, step.why, this.stopped);
        await this.#maker.look(step.fact.id, neverAborted);
        return;
      case 'terminate':
        return this.terminate(
          this.#c.now() + (this.#evicted === undefined ? graceSecondsOf(this.job.pod) : evictionGraceSeconds) * 1000,
          this.stopped,
        );
      case 'finish': {
        const { sandbox } = this.facts;
        if (sandbox) await this.#c.limit(() => this.#c.engine.stop(sandbox.id, 1, neverAborted));
        this.#c.devices.release(this.job.id);
      }
    }
  }

  #wait(at: number): void {
    for (const [name, wait] of this.waits) {
      const image = everyContainer(this.job).find((one) => one.name === name)?.image ?? '';
      // The error is shown once, then the back-off, as the kubelet does.
      if (wait.retryAt - this.#c.now() < wait.delayMs - 1000) this.waits.set(name, backingOff(wait, image));
    }
    this.report();
    // Half-way wake-ups only turn ErrImagePull into ImagePullBackOff.
    const soon = [...this.waits.values()].some(({ reason }) => reason === 'ErrImagePull') ? this.#c.now() + 1500 : at;
    this.#wakeAt(Math.min(at, soon));
  }
}

const neverAborted = new AbortController().signal;
/** The kubelet's own for a pod that has used too much. */
const evictionGraceSeconds = 1;
const maxTimerMs = 24 * 3600 * 1000;

function keyOf(step: Exclude<Step, { do: 'wait' }>): string {
  if (step.do === 'start') return `start ${step.start.role} ${step.start.container.name}`;
  return 'fact' in step ? `${step.do} ${step.fact.id}` : step.do;
}

function everyContainer({ pod }: Job): Container[] {
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  return [...containers, ...(initContainers ?? []), ...(ephemeralContainers ?? [])];
}
