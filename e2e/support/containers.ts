import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Engine } from '@interlink/testbed';
import type Docker from 'dockerode';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { z } from 'zod';

/** As every deployment should run our images. */
const hardened = {
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges:true'],
};

/** Points testcontainers at the engine. Its own helper image cannot be pulled everywhere: we remove what we make. */
export function useTestcontainers({ socketPath }: Engine): void {
  Object.assign(process.env, {
    DOCKER_HOST: `unix://${socketPath}`,
    TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1',
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  });
}

export interface ServiceContainerOptions {
  /** As the engine takes them: SOURCE:TARGET[:ro], the source a path or a volume's name. */
  readonly binds: readonly string[];
  /** Folder -> options. */
  readonly tmpfs: Record<string, string>;
  readonly groups?: readonly string[];
  readonly security?: Pick<Docker.HostConfig, 'ReadonlyRootfs' | 'CapDrop' | 'SecurityOpt'>;
  readonly ports?: readonly number[];
  readonly networkMode?: string;
}

/** One of our services in its image, until its log says that it has started. */
export class ServiceContainer extends GenericContainer {
  constructor(image: string, options: ServiceContainerOptions) {
    super(image);
    const { binds, tmpfs, groups = [], security = hardened, ports = [], networkMode } = options;
    Object.assign(this.hostConfig, security, { Binds: [...binds], Tmpfs: tmpfs, GroupAdd: [...groups] });
    this.withExposedPorts(...ports);
    if (networkMode !== undefined) this.withNetworkMode(networkMode);
    // Not the health check: its first answer takes an interval of 10 s.
    this.withWaitStrategy(Wait.forLogMessage(/"msg":"started"/)).withStartupTimeout(30_000);
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const runTimeoutMs = 30_000;
const waitSchema = z.looseObject({ StatusCode: z.number() });

/** Runs an image to its end, hardened and without a network. */
export async function runImage(
  docker: Docker,
  image: string,
  args: readonly string[],
  hostConfig: Docker.HostConfig = {},
): Promise<Outcome> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const texts = Promise.all([text(out), text(err)]);
  const container = await docker.createContainer({
    Image: image,
    Cmd: [...args],
    HostConfig: { ...hardened, NetworkMode: 'none', ...hostConfig },
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(stream, out, err);
    stream.once('end', () => [out, err].forEach((output) => output.end()));
    await container.start();
    const ended = waitSchema.parse(await container.wait({ abortSignal: AbortSignal.timeout(runTimeoutMs) }));
    const [stdout, stderr] = await texts;
    return { code: ended.StatusCode, stdout, stderr };
  } finally {
    await container.remove({ force: true });
  }
}

/** Runs JavaScript in a container that has nothing but node to run it; returns what it prints. */
export async function evaluate(container: StartedTestContainer, script: string, ...args: string[]): Promise<string> {
  const { exitCode, output } = await container.exec(['node', '-e', script, ...args]);
  if (exitCode !== 0) throw new Error(`node -e in ${container.getName()} ended with ${exitCode}: ${output}`);
  return output.trim();
}
