import type { Duplex } from 'node:stream';
import { isCode, type TerminalSize } from '@interlink/contract';
import type Docker from 'dockerode';
import { z } from 'zod';

/** Which streams are wanted of a command or container, and whether it has a terminal. */
export interface EngineStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** A command or container whose streams the engine has handed over: frames of 8 bytes, or none with a terminal. */
export interface Hijacked {
  readonly socket: Duplex;
  resize(size: TerminalSize, signal: AbortSignal): Promise<void>;
  /** undefined while it runs; of a container that is gone, 0. */
  exitCode(signal: AbortSignal): Promise<number | undefined>;
}

/** How streams of a pod are reached; a part of the engine. */
export interface StreamCalls {
  exec(id: string, command: readonly string[], streams: EngineStreams, signal: AbortSignal): Promise<Hijacked>;
  attach(id: string, streams: EngineStreams, signal: AbortSignal): Promise<Hijacked>;
  /** What the engine measures of a container now, as it says it. */
  stats(id: string, signal: AbortSignal): Promise<unknown>;
}

type Call = <T>(name: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>) => Promise<T>;

const execSchema = z.looseObject({ Running: z.boolean(), ExitCode: z.number().nullish() });

/** Six keys that nobody presses in a row: the engine's own, ^P^Q, would eat each ^P of a shell. */
const detachKeys = Array<string>(6).fill('ctrl-^').join(',');

export class StreamEngine implements StreamCalls {
  readonly #docker: Docker;
  readonly #call: Call;

  constructor(docker: Docker, call: Call) {
    this.#docker = docker;
    this.#call = call;
  }

  async exec(id: string, command: readonly string[], streams: EngineStreams, signal: AbortSignal): Promise<Hijacked> {
    const { stdin, stdout, stderr, tty } = streams;
    const exec = await this.#call('exec', signal, (abortSignal) =>
      this.#docker.getContainer(id).exec({
        Cmd: [...command],
        AttachStdin: stdin,
        AttachStdout: stdout,
        AttachStderr: stderr,
        Tty: tty,
        DetachKeys: detachKeys,
        abortSignal,
      }),
    );
    const socket = await this.#call('execStart', signal, (abortSignal) =>
      exec.start({ hijack: true, stdin: true, Tty: tty, abortSignal }),
    );
    return {
      socket,
      resize: ({ width, height }, whileOpen) =>
        this.#call('execResize', whileOpen, (abortSignal) => exec.resize({ w: width, h: height, ...{ abortSignal } })),
      exitCode: async (whileOpen) => {
        const found = await this.#call('execInspect', whileOpen, (abortSignal) => exec.inspect({ abortSignal }));
        const { Running, ExitCode } = execSchema.parse(found);
        return Running ? undefined : (ExitCode ?? undefined);
      },
    };
  }

  async attach(id: string, streams: EngineStreams, signal: AbortSignal): Promise<Hijacked> {
    const { stdin, stdout, stderr } = streams;
    const container = this.#docker.getContainer(id);
    const socket = await this.#call('attach', signal, (abortSignal) =>
      container.attach({ stream: true, hijack: true, stdin, stdout, stderr, detachKeys, abortSignal }),
    );
    return {
      socket: socket as Duplex,
      resize: ({ width, height }, whileOpen) =>
        this.#call('resize', whileOpen, (abortSignal) => container.resize({ w: width, h: height, abortSignal })),
      // Kubernetes takes the code from the pod's status: of an attach that came to its end, only that it did.
      exitCode: async (whileOpen) => {
        try {
          await this.#call('inspect', whileOpen, (abortSignal) => container.inspect({ abortSignal }));
        } catch (error) {
          if (!isCode(error, 'NotFound')) throw error;
        }
        return 0;
      },
    };
  }

  stats(id: string, signal: AbortSignal): Promise<unknown> {
    return this.#call('stats', signal, (abortSignal) =>
      this.#docker.getContainer(id).stats({ stream: false, 'one-shot': true, ...{ abortSignal } }),
    );
  }
}
