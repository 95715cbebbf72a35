import { Readable } from 'node:stream';
import { InterlinkError, isCode, type ErrorCode } from '@interlink/contract';
import Docker from 'dockerode';
import { z } from 'zod';
import { sortError } from './engine-error.ts';
import { label } from './labels.ts';
import { toFact, type ContainerFact } from './facts.ts';
import type { Credentials } from './registry/keyring.ts';
import type { Limits } from './spec/limits.ts';
import { ReachEngine, type ReachCalls } from './probes/reach-engine.ts';
import { StreamEngine, type StreamCalls } from './streams/stream-engine.ts';
import { VolumeEngine, type VolumeCalls } from './volumes/volume-engine.ts';

const callDeadlineMs = 30_000;

/** For whoever only makes calls, and for stand-ins. */
export type EngineCalls = Pick<Engine, keyof Engine>;

export type ObserveCall = (call: string, outcome: string, seconds: number) => void;

const idSchema = z.looseObject({ Id: z.string() });
const infoSchema = z.looseObject({ NCPU: z.number(), MemTotal: z.number() });
const eventSchema = z.looseObject({
  Type: z.string(),
  Action: z.string(),
  Actor: z.looseObject({ ID: z.string(), Attributes: z.record(z.string(), z.string()).default({}) }),
});

const imageSchema = z.looseObject({
  Id: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  Config: z.looseObject({ User: z.string().default('') }).nullish(),
});
const progressSchema = z.looseObject({ error: z.string().optional() });

/** An image that the engine has. */
export interface LocalImage {
  readonly id: string;
  /** All names with tags that it has at the engine. */
  readonly names: readonly string[];
  /** Its USER; empty = root. */
  readonly user: string;
}

export type EngineEvent = z.infer<typeof eventSchema>;

/**
 * The engine calls that this sidecar makes, each with a deadline, counted, and with errors sorted: `NotFound`, `Gone`
 * (a name that is taken), `Invalid`, or `Unavailable` when the engine itself does not answer.
 */
export class Engine {
  readonly volumes: VolumeCalls;
  readonly reach: ReachCalls;
  readonly streams: StreamCalls;
  readonly #docker: Docker;
  readonly #observe: ObserveCall;

  constructor(socketPath: string, observe: ObserveCall) {
    this.#docker = new Docker({ socketPath });
    this.#observe = observe;
    this.volumes = new VolumeEngine(this.#docker, (call, signal, run) => this.#call(call, signal, run));
    this.streams = new StreamEngine(this.#docker, (call, signal, run) => this.#call(call, signal, run));
    this.reach = new ReachEngine(this.#docker, (call, signal, run) => this.#observed(call, () => run(signal)));
  }

  async capacity(signal: AbortSignal): Promise<{ cpus: number; memoryBytes: number }> {
    const info = infoSchema.parse(await this.#call('info', signal, () => this.#docker.info()));
    return { cpus: info.NCPU, memoryBytes: info.MemTotal };
  }

  /** Ids of all containers of this site, or of one job of it. */
  async list(site: string, job: string | undefined, signal: AbortSignal): Promise<string[]> {
    const labels = [`${label.site}=${site}`, ...(job === undefined ? [] : [`${label.job}=${job}`])];
    const found = await this.#call('list', signal, (abortSignal) =>
      this.#docker.listContainers({ all: true, filters: { label: labels }, abortSignal }),
    );
    return found.map(({ Id }) => Id);
  }

  /** undefined when the container is gone, or not one of ours. */
  async inspect(id: string, signal: AbortSignal): Promise<ContainerFact | undefined> {
    try {
      return toFact(
        await this.#call('inspect', signal, (abortSignal) => this.#docker.getContainer(id).inspect({ abortSignal })),
      );
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Container events of this site, from `since` (seconds since the epoch) on. */
  async events(site: string, since: number, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
    const filters = {
      type: ['container'],
      label: [`${label.site}=${site}`],
      event: ['start', 'die', 'destroy', 'oom'],
    };
    // No deadline: this stream lives as long as the sidecar.
    return this.#observed('events', () =>
      this.#docker.getEvents({ filters: JSON.stringify(filters), since, abortSignal: signal }),
    );
  }

  async createContainer(name: string, body: Docker.ContainerCreateOptions, signal: AbortSignal): Promise<string> {
    const created = await this.#call('create', signal, (abortSignal) =>
      this.#docker.createContainer({ ...body, name, abortSignal }),
    );
    return idSchema.parse({ Id: created.id }).Id;
  }

  /** New limits for a container, running or not. */
  async updateContainer(id: string, limits: Limits, signal: AbortSignal): Promise<void> {
    await this.#call('update', signal, () => this.#docker.getContainer(id).update(limits));
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.#ignore(['Gone'], 'start', signal, (abortSignal) =>
      this.#docker.getContainer(id).start({ abortSignal }),
    );
  }

  /** Extracts a tar archive below `path`; works in a container that is not running too. */
  async putArchive(id: string, path: string, tar: Buffer, signal: AbortSignal): Promise<void> {
    await this.#call('putArchive', signal, (abortSignal) =>
      this.#docker.getContainer(id).putArchive(tar, { path, abortSignal }),
    );
  }

  /** The image's own stop signal, then SIGKILL after `graceSeconds`. Returns when it has ended. */
  async stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const deadlineMs = graceSeconds * 1000 + callDeadlineMs;
    const stop = (abortSignal: AbortSignal) => this.#docker.getContainer(id).stop({ t: graceSeconds, abortSignal });
    await this.#ignore(['Gone', 'NotFound'], 'stop', signal, stop, deadlineMs);
  }

  /** May return while a removal that was asked for before is still under way. */
  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    await this.#ignore(['NotFound', 'Gone'], 'remove', signal, (abortSignal) =>
      this.#docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
    );
  }

  /** undefined when the engine has no such image. */
  async inspectImage(image: string, signal: AbortSignal): Promise<LocalImage | undefined> {
    try {
      const found = await this.#call('inspectImage', signal, () => this.#docker.getImage(image).inspect());
      const { Id, RepoTags, Config } = imageSchema.parse(found);
      return { id: Id, names: RepoTags ?? [], user: Config?.User ?? '' };
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async pull(image: string, auth: Credentials | undefined, signal: AbortSignal): Promise<void> {
    await this.#observed('pull', async () => {
      const stream = await this.#docker.pull(image, { abortSignal: signal, ...(auth ? { authconfig: auth } : {}) });
      let refusal: string | undefined;
      await new Promise<void>((resolve, reject) => {
        this.#docker.modem.followProgress(
          stream,
          (error: Error | null) => (error ? reject(error) : resolve()),
          (line: unknown) => (refusal = progressSchema.safeParse(line).data?.error ?? refusal),
        );
      });
      // A pull that fails after it has begun has been answered with 200: its stream says so.
      if (refusal !== undefined) throw new InterlinkError('Invalid', refusal);
    });
  }

  /** The raw log (8-byte frames), as a stream in every case: the engine's own client would hold a finished log in memory. */
  async logs(id: string, query: Record<string, string>, signal: AbortSignal): Promise<Readable> {
    return this.#observed(
      'logs',
      () =>
        new Promise<Readable>((resolve, reject) => {
          const dial = {
            path: `/containers/${id}/logs?`,
            method: 'GET',
            isStream: true,
            abortSignal: signal,
            statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
            options: query,
          };
          this.#docker.modem.dial(dial, (error: unknown, stream: unknown) => {
            if (stream instanceof Readable) resolve(stream);
            else reject(sortError(error ?? new Error('the engine answered without a log')));
          });
        }),
    );
  }

  async #ignore(
    codes: ErrorCode[],
    call: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<unknown>,
    deadlineMs?: number,
  ): Promise<void> {
    try {
      await this.#call(call, signal, run, deadlineMs);
    } catch (error) {
      if (!isCode(error, ...codes)) throw error;
    }
  }

  #call<T>(
    call: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
    deadlineMs = callDeadlineMs,
  ): Promise<T> {
    return this.#observed(call, () => run(AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])));
  }

  async #observed<T>(call: string, run: () => Promise<T>): Promise<T> {
    const start = performance.now();
    let outcome = 'ok';
    try {
      return await run();
    } catch (thrown) {
      const error = sortError(thrown);
      outcome = error.code;
      throw error;
    } finally {
      this.#observe(call, outcome, (performance.now() - start) / 1000);
    }
  }
}

export function parseEngineEvent(line: string): EngineEvent {
  return eventSchema.parse(JSON.parse(line));
}
