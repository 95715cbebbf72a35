import { PassThrough } from 'node:stream';
import { InterlinkError, isCode, type ErrorCode } from '@interlink/contract';
import type Docker from 'dockerode';
import { z } from 'zod';
import { label } from '../labels.ts';

export interface MemoryVolume {
  readonly sizeBytes?: number;
  readonly mode: number;
  readonly gid?: number;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the engine does for volumes; a part of {@link Engine}. */
export interface VolumeCalls {
  create(
    name: string,
    labels: Record<string, string>,
    memory: MemoryVolume | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** The host's path of an engine volume. */
  mountpoint(name: string, signal: AbortSignal): Promise<string>;
  /** Runs a program of few words in a running container. */
  run(id: string, argv: readonly string[], signal: AbortSignal): Promise<ProgramResult>;
  /** What is not running (any more) needs none, and is left alone. */
  pause(id: string, signal: AbortSignal): Promise<void>;
  unpause(id: string, signal: AbortSignal): Promise<void>;
  /** Containers of this site that an earlier life of ours has left paused. */
  paused(site: string, signal: AbortSignal): Promise<string[]>;
  /** Of the engine's API: 41 for 1.41. */
  apiMinor(signal: AbortSignal): Promise<number>;
  /** Makes a container, waits for its end and removes it. */
  runHelper(name: string, body: Docker.ContainerCreateOptions, signal: AbortSignal): Promise<ProgramResult>;
}

type Call = <T>(name: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>) => Promise<T>;

const maxOutput = 64 * 1024;
const volumeSchema = z.looseObject({ Mountpoint: z.string().startsWith('/') });
const execSchema = z.looseObject({ ExitCode: z.number() });
const versionSchema = z.looseObject({ ApiVersion: z.string() });
const waitSchema = z.looseObject({ StatusCode: z.number() });

export class VolumeEngine implements VolumeCalls {
  readonly #docker: Docker;
  readonly #call: Call;

  constructor(docker: Docker, call: Call) {
    this.#docker = docker;
    this.#call = call;
  }

  async create(
    name: string,
    labels: Record<string, string>,
    memory: MemoryVolume | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const DriverOpts: Record<string, string> =
      memory === undefined ? {} : { type: 'tmpfs', device: 'tmpfs', o: tmpfsOptions(memory) };
    await this.#call('createVolume', signal, (abortSignal) =>
      this.#docker.createVolume({ Name: name, Driver: 'local', Labels: labels, DriverOpts, abortSignal }),
    );
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#ignore(['NotFound'], 'removeVolume', signal, (abortSignal) =>
      this.#docker.getVolume(name).remove({ force: true, abortSignal }),
    );
  }

  async mountpoint(name: string, signal: AbortSignal): Promise<string> {
    const found = await this.#call('inspectVolume', signal, (abortSignal) =>
      this.#docker.getVolume(name).inspect({ abortSignal }),
    );
    return volumeSchema.parse(found).Mountpoint;
  }

  run(id: string, argv: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    return this.#call('run', signal, async (abortSignal) => {
      const exec = await this.#docker
        .getContainer(id)
        .exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, abortSignal });
      const stream = await exec.start({ hijack: true, stdin: false, abortSignal });
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      this.#docker.modem.demuxStream(stream, stdout, stderr);
      const end = () => [stdout, stderr].forEach((one) => one.end());
      stream.once('end', end).once('close', end).once('error', end);
      try {
        const texts = await Promise.all([firstBytes(stdout, abortSignal), firstBytes(stderr, abortSignal)]);
        const { ExitCode } = execSchema.parse(await exec.inspect({ abortSignal }));
        return { exitCode: ExitCode, stdout: texts[0], stderr: texts[1] };
      } finally {
        stream.destroy();
      }
    });
  }

  async pause(id: string, signal: AbortSignal): Promise<void> {
    await this.#ignore(['NotFound', 'Gone'], 'pause', signal, (abortSignal) =>
      this.#docker.getContainer(id).pause({ abortSignal }),
    );
  }

  async unpause(id: string, signal: AbortSignal): Promise<void> {
    // Internal: the engine's word for one that is not paused.
    await this.#ignore(['NotFound', 'Gone', 'Internal'], 'unpause', signal, (abortSignal) =>
      this.#docker.getContainer(id).unpause({ abortSignal }),
    );
  }

  async paused(site: string, signal: AbortSignal): Promise<string[]> {
    const filters = { label: [`${label.site}=${site}`], status: ['paused'] };
    const found = await this.#call('list', signal, (abortSignal) =>
      this.#docker.listContainers({ filters, abortSignal }),
    );
    return found.map(({ Id }) => Id);
  }

  async apiMinor(signal: AbortSignal): Promise<number> {
    const { ApiVersion } = versionSchema.parse(await this.#call('version', signal, () => this.#docker.version()));
    return Number(ApiVersion.split('.')[1] ?? 0);
  }

  runHelper(name: string, body: Docker.ContainerCreateOptions, signal: AbortSignal): Promise<ProgramResult> {
    return this.#call('helper', signal, async (abortSignal) => {
      // Left by a sidecar that was killed meanwhile.
      await this.#removed(name, abortSignal);
      const container = await this.#docker.createContainer({ ...body, name, abortSignal });
      try {
        await container.start({ abortSignal });
        const { StatusCode } = waitSchema.parse(await container.wait({ abortSignal }));
        const log = await container.logs({ stdout: true, stderr: true, abortSignal });
        return { exitCode: StatusCode, stdout: '', stderr: log.subarray(8, maxOutput).toString() };
      } finally {
        await this.#removed(name, AbortSignal.timeout(10_000));
      }
    });
  }

  #removed(name: string, signal: AbortSignal): Promise<void> {
    return this.#ignore(['NotFound', 'Gone'], 'remove', signal, (abortSignal) =>
      this.#docker.getContainer(name).remove({ force: true, abortSignal }),
    );
  }

  async #ignore(
    codes: ErrorCode[],
    call: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.#call(call, signal, run);
    } catch (error) {
      if (!isCode(error, ...codes)) throw error;
    }
  }
}

/** What a program of ours says in JSON. @throws InterlinkError Invalid with its complaint when it failed. */
export function programAnswer<T>(schema: z.ZodType<T>, { exitCode, stdout, stderr }: ProgramResult): T {
  if (exitCode !== 0)
    throw new InterlinkError('Invalid', stderr.trim().replace(/^sandbox: /, '') || `exit ${exitCode}`);
  return schema.parse(JSON.parse(stdout));
}

function tmpfsOptions({ sizeBytes, mode, gid }: MemoryVolume): string {
  return [
    `mode=${mode.toString(8).padStart(4, '0')}`,
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
  ].join(',');
}

async function firstBytes(stream: PassThrough, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const abort = () => stream.destroy(new InterlinkError('Unavailable', 'the engine did not answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (length < maxOutput) chunks.push(chunk);
      length += chunk.length;
    }
  } finally {
    signal.removeEventListener('abort', abort);
  }
  return Buffer.concat(chunks).toString();
}
