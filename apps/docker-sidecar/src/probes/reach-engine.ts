import { Duplex, PassThrough, Readable } from 'node:stream';
import { InterlinkError, isCode } from '@interlink/contract';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { VolumeEngine, type ProgramResult } from '../volumes/volume-engine.ts';

/** How probes, hooks and last words get into a pod; a part of the engine. The caller's signal is the deadline. */
export interface ReachCalls {
  /** Runs a command in a running container; its output is cut. */
  run(id: string, argv: readonly string[], signal: AbortSignal): Promise<ProgramResult>;
  /** A TCP connection from within a pod's network; ends with an error where there is nobody. */
  dial(sandboxId: string, host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** The last bytes of one file, in a container that runs or not; undefined when it is not there. */
  tailOfFile(id: string, path: string, maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined>;
}

type Call = <T>(name: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>) => Promise<T>;

export class ReachEngine implements ReachCalls {
  readonly #docker: Docker;
  readonly #call: Call;
  readonly #programs: VolumeEngine;

  /** @param call without a deadline of its own: hooks may run for as long as their pod's grace period. */
  constructor(docker: Docker, call: Call) {
    this.#docker = docker;
    this.#call = call;
    this.#programs = new VolumeEngine(docker, call);
  }

  run(id: string, argv: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    return this.#programs.run(id, argv, signal);
  }

  dial(sandboxId: string, host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#call('dial', signal, async () => {
      const exec = await this.#docker.getContainer(sandboxId).exec({
        Cmd: ['/sandbox', 'dial', String(port), host],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        abortSignal: signal,
      });
      const raw = await exec.start({ hijack: true, stdin: true, abortSignal: signal });
      return connection(raw, (stdout, stderr) => this.#docker.modem.demuxStream(raw, stdout, stderr), signal);
    });
  }

  async tailOfFile(id: string, path: string, maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined> {
    try {
      return await this.#call('getArchive', signal, async () => {
        const container = this.#docker.getContainer(id);
        // Most files are empty, and asking first costs the engine far less than making an archive.
        if (sizeOf(await container.infoArchive({ path, abortSignal: signal })) === 0) return Buffer.alloc(0);
        return tailOfFirst((await container.getArchive({ path, abortSignal: signal })) as Readable, maxBytes);
      });
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** The two directions of a framed exec as one stream of bytes; what the program complains of ends it. */
function connection(
  raw: Duplex,
  demux: (stdout: PassThrough, stderr: PassThrough) => void,
  signal: AbortSignal,
): Duplex {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  demux(stdout, stderr);
  const duplex = Duplex.from({ readable: stdout, writable: raw });
  const abort = () => duplex.destroy(new InterlinkError('Unavailable', 'the connection took too long'));
  signal.addEventListener('abort', abort, { once: true });
  stderr.once('data', (text: Buffer) =>
    duplex.destroy(new InterlinkError('Invalid', String(text.subarray(0, 500)).trim())),
  );
  raw.once('end', () => stdout.end());
  raw.once('close', () => stdout.end());
  raw.once('error', (error: Error) => duplex.destroy(error));
  // Somebody always listens: one that is destroyed after its last reader has left must not end the process.
  duplex.on('error', () => undefined);
  duplex.once('close', () => {
    signal.removeEventListener('abort', abort);
    raw.destroy();
  });
  return duplex;
}

const statSchema = z.looseObject({ size: z.number() });

/** What the engine says of a file; undefined where it says nothing. */
function sizeOf(answer: unknown): number | undefined {
  const headers: unknown = typeof answer === 'object' && answer !== null && 'headers' in answer ? answer.headers : {};
  const stat = z.looseObject({ 'x-docker-container-path-stat': z.string() }).safeParse(headers).data;
  if (answer instanceof Readable) answer.resume();
  if (stat === undefined) return undefined;
  const text = Buffer.from(stat['x-docker-container-path-stat'], 'base64').toString();
  return statSchema.safeParse(JSON.parse(text)).data?.size;
}

async function tailOfFirst(archive: Readable, maxBytes: number): Promise<Buffer> {
  const files = extract();
  archive.on('error', (error) => files.destroy(error));
  archive.pipe(files);
  let tail = Buffer.alloc(0);
  for await (const file of files) {
    for await (const chunk of file as AsyncIterable<Buffer>) tail = Buffer.concat([tail, chunk]).subarray(-maxBytes);
  }
  return tail;
}
