import type { Duplex } from 'node:stream';
import {
  InterlinkError,
  isCode,
  type AttachRequest,
  type CommandStreams,
  type ExecRequest,
  type PortForwardRequest,
} from '@interlink/contract';
import type { Job } from '@interlink/sidecar-kit';
import type { ContainerFact, PodFacts } from '../facts.ts';
import { containerFields } from '../spec/pod-fields.ts';
import { containerStats, networkStats, type PodStats } from './container-stats.ts';
import { engineCommand } from './engine-command.ts';
import { PortConnection } from './port-connection.ts';
import type { EngineStreams, StreamCalls } from './stream-engine.ts';

export interface PodStreamsOptions {
  readonly calls: StreamCalls;
  /** What is known of the job's containers; throws while nobody has looked. */
  readonly factsOf: (job: Job) => PodFacts;
  /** Bounds how much is asked of the engine at once. */
  readonly limit: <T>(run: () => Promise<T>) => Promise<T>;
}

/** Streams into running pods, and what these use. A pod that does not run is refused in the kubelet's words. */
export class PodStreams {
  readonly #o: PodStreamsOptions;

  constructor(options: PodStreamsOptions) {
    this.#o = options;
  }

  async exec(job: Job, request: ExecRequest, signal: AbortSignal): Promise<CommandStreams> {
    const { containerName: name } = request;
    const absent = `container not found ("${name}")`;
    const { id } = this.#running(job, name, absent);
    return ran(absent, async () =>
      engineCommand(await this.#o.calls.exec(id, request.command, request, signal), request),
    );
  }

  /** Whether there is a terminal, and a stdin, was decided when the container was made. */
  async attach(job: Job, request: AttachRequest, signal: AbortSignal): Promise<CommandStreams> {
    const { containerName: name, podName, namespace } = request;
    const absent = `container ${name} not found in pod ${podName}_${namespace}`;
    const { id } = this.#running(job, name, absent);
    const { initContainers, containers, ephemeralContainers } = job.pod.spec;
    const spec = [...containers, ...(initContainers ?? []), ...(ephemeralContainers ?? [])].find(
      (container) => container.name === name,
    );
    const { stdin = false, tty = false } = spec === undefined ? {} : containerFields(spec);
    const streams: EngineStreams = { ...request, stdin: request.stdin && stdin === true, tty: tty === true };
    return ran(absent, async () => engineCommand(await this.#o.calls.attach(id, streams, signal), streams));
  }

  async portForward(job: Job, request: PortForwardRequest, signal: AbortSignal): Promise<Duplex> {
    const { podName, namespace, port } = request;
    const absent = `pod not found ("${podName}_${namespace}")`;
    const { sandbox } = this.#o.factsOf(job);
    if (sandbox?.state !== 'running') throw new InterlinkError('NotFound', absent);
    return ran(absent, async () => {
      const streams: EngineStreams = { stdin: true, stdout: true, stderr: true, tty: false };
      const program = await this.#o.calls.exec(sandbox.id, ['/sandbox', 'dial', String(port)], streams, signal);
      return new PortConnection(
        engineCommand(program, streams),
        `failed to connect to localhost:${port} inside the pod`,
      );
    });
  }

  /** Nothing is measured while nobody asks. */
  async stats(jobs: readonly Job[], signal: AbortSignal): Promise<PodStats[]> {
    const pods = await Promise.all(jobs.map((job) => this.#podStats(job, signal)));
    return pods.flatMap((pod) => (pod === undefined ? [] : [pod]));
  }

  async #podStats(job: Job, signal: AbortSignal): Promise<PodStats | undefined> {
    const running = this.#o
      .factsOf(job)
      .all()
      .filter(({ state }) => state === 'running');
    const containers = running.filter(({ role }) => role !== 'sandbox');
    if (containers.length === 0) return undefined;
    const sandbox = running.find(({ role }) => role === 'sandbox');
    const { uid, namespace, name } = job.pod.metadata;
    const [network, measured] = await Promise.all([
      sandbox && this.#measure(sandbox, networkStats, signal),
      Promise.all(containers.map((fact) => this.#measure(fact, (found) => containerStats(fact, found), signal))),
    ]);
    return {
      uid,
      namespace,
      name,
      containers: measured.flatMap((container) => (container === undefined ? [] : [container])),
      ...(network === undefined ? {} : { network }),
    };
  }

  /** undefined for a container that has gone in between. */
  async #measure<T>(
    { id }: ContainerFact,
    read: (measured: unknown) => T,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return read(await this.#o.limit(() => this.#o.calls.stats(id, signal)));
    } catch (error) {
      if (isCode(error, 'NotFound', 'Gone')) return undefined;
      throw error;
    }
  }

  /** The container's present attempt, whatever it is of the pod. */
  #running(job: Job, name: string, absent: string): ContainerFact {
    const found = this.#o
      .factsOf(job)
      .all()
      .find((fact) => fact.role !== 'sandbox' && fact.name === name && fact.state === 'running');
    if (found === undefined) throw new InterlinkError('NotFound', absent);
    return found;
  }
}

/** What ended or went since the last look is absent, too. */
async function ran<T>(absent: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isCode(error, 'Gone', 'NotFound')) throw new InterlinkError('NotFound', absent, { cause: error });
    throw error;
  }
}
