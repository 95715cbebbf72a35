import { spawn, type ChildProcess } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { podSchema, retrievedPodSchema, type Pod } from '@interlink/contract';
import { z } from 'zod';

interface ClassicJob {
  readonly id: string;
  readonly child: ChildProcess;
  log: string;
  startedAt: string;
  ended: { exitCode: number; finishedAt: string } | undefined;
}

/**
 * A plugin as interLink's are: the four core endpoints and nothing else, one process of this machine per pod. It takes
 * the first container only, reads the pod's spec in /status, forgets a job at its delete, and would start a second one
 * for a create that is sent twice.
 */
export class ClassicPlugin {
  readonly jobs = new Map<string, ClassicJob>();
  readonly requests: string[] = [];
  creates = 0;
  /** The next create is carried out, and its answer lost. */
  loseNextAnswer = false;
  /** Hangs up on everybody. */
  isAway = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  static async start(socketPath: string): Promise<ClassicPlugin> {
    const plugin = new ClassicPlugin();
    await new Promise<void>((resolve) => plugin.#server.listen(socketPath, resolve));
    await chmod(socketPath, 0o600);
    return plugin;
  }

  async stop(): Promise<void> {
    for (const { child } of this.jobs.values()) child.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = request.url ?? '';
    if (this.isAway) {
      request.socket.destroy();
      return;
    }
    this.requests.push(`${request.method} ${path} ${text.length < 3 ? text : ''}`.trim());
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    switch (path) {
      case '/create': {
        const { pod } = retrievedPodSchema.parse(body);
        const reply = JSON.stringify({ PodUID: pod.metadata.uid, PodJID: this.#run(pod) });
        if (this.loseNextAnswer) {
          this.loseNextAnswer = false;
          request.socket.destroy();
        } else response.end(reply);
        return;
      }
      case '/status':
        response.end(
          JSON.stringify(
            z
              .array(podSchema)
              .parse(body)
              .map((pod) => this.#status(pod)),
          ),
        );
        return;
      case '/delete': {
        const { metadata } = podSchema.parse(body);
        this.jobs.get(metadata.uid)?.child.kill('SIGKILL');
        this.jobs.delete(metadata.uid);
        response.end('deleted');
        return;
      }
      case '/getLogs':
        response.end(this.jobs.get(z.looseObject({ PodUID: z.string() }).parse(body).PodUID)?.log ?? '');
        return;
      default:
        response.writeHead(404).end('404 page not found\n');
    }
  }

  #run({ metadata, spec }: Pod): string {
    this.creates += 1;
    const [container] = spec.containers;
    const [command = 'true', ...args] = [...(container?.command ?? []), ...(container?.args ?? [])];
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? '']));
    const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const job: ClassicJob = { id: `classic-${this.creates}`, child, log: '', startedAt: now(), ended: undefined };
    child.stdout.on('data', (chunk) => (job.log += String(chunk)));
    child.once('exit', (code) => (job.ended = { exitCode: code ?? 137, finishedAt: now() }));
    this.jobs.set(metadata.uid, job);
    return job.id;
  }

  #status({ metadata, spec }: Pod): object {
    const job = this.jobs.get(metadata.uid);
    const state =
      job === undefined
        ? {}
        : job.ended
          ? { terminated: { ...job.ended, startedAt: job.startedAt } }
          : { running: { startedAt: job.startedAt } };
    const containers = spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      state,
      lastState: {},
      ready: !job?.ended,
      restartCount: 0,
    }));
    return {
      name: metadata.name,
      UID: metadata.uid,
      namespace: metadata.namespace,
      JID: job?.id ?? '',
      containers,
      initContainers: null,
    };
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
