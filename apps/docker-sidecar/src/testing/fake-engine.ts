import { PassThrough, Readable } from 'node:stream';
import { InterlinkError } from '@interlink/contract';
import type { ContainerCreateOptions } from 'dockerode';
import type { EngineCalls, LocalImage } from '../engine.ts';
import { messagesFolder, toFact, type ContainerFact } from '../facts.ts';
import { label } from '../labels.ts';
import type { Limits } from '../spec/limits.ts';
import { FakeReach } from './fake-reach.ts';
import { FakeStreams } from './fake-streams.ts';
import { FakeVolumes } from './fake-volumes.ts';

interface FakeContainer {
  readonly name: string;
  readonly body: ContainerCreateOptions;
  readonly created: number;
  state: 'created' | 'running' | 'exited';
  exitCode: number;
  error: string;
  started: number | undefined;
  finished: number | undefined;
}

const zero = '0001-01-01T00:00:00Z';

/** An engine in memory: containers run until {@link FakeEngine.exit} or a stop, and every change is an event. */
export class FakeEngine implements EngineCalls {
  readonly containers = new Map<string, FakeContainer>();
  readonly volumes = new FakeVolumes();
  readonly images = new Set(['sandbox:1', 'busybox:1']);
  readonly calls: string[] = [];
  readonly reach = new FakeReach();
  readonly streams = new FakeStreams();
  /** Why a container with this image cannot be made or started, or this image not be pulled. */
  readonly failures = new Map<string, InterlinkError>();
  readonly archives: string[] = [];
  readonly #events = new Set<PassThrough>();

  /** The names of what is there now, without the part that all have. */
  names(): string[] {
    return [...this.containers.values()].map(({ name }) => name.replace(/^interlink-[0-9a-f]{16}-?/, ''));
  }

  exit(name: string, exitCode: number): void {
    const [id, container] = this.#named(name);
    this.#end(id, container, exitCode);
  }

  /** The engine is restarted: its event streams end. */
  restart(): void {
    for (const events of this.#events) events.end();
    this.#events.clear();
  }

  async capacity(): Promise<{ cpus: number; memoryBytes: number }> {
    return Promise.resolve({ cpus: 4, memoryBytes: 8 * 1024 ** 3 });
  }

  async list(site: string, job: string | undefined): Promise<string[]> {
    const wanted = [...this.containers].filter(
      ([, { body }]) => body.Labels?.[label.site] === site && (job === undefined || body.Labels[label.job] === job),
    );
    return Promise.resolve(wanted.map(([id]) => id));
  }

  async inspect(idOrName: string): Promise<ContainerFact | undefined> {
    const found = this.#find(idOrName);
    if (found === undefined) return Promise.resolve(undefined);
    const [id, { body, state, exitCode, error, created, started, finished }] = found;
    const time = (ms: number | undefined) => (ms === undefined ? zero : new Date(ms).toISOString());
    return Promise.resolve(
      toFact({
        Id: id,
        Created: time(created),
        Image: 'sha256:1',
        State: {
          Status: state,
          Running: state === 'running',
          ExitCode: exitCode,
          Error: error,
          StartedAt: time(started),
          FinishedAt: time(finished),
        },
        Config: { Labels: body.Labels },
        HostConfig: body.HostConfig,
        Mounts: [{ Destination: messagesFolder, Source: '/engine/messages' }],
        NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2', Gateway: '172.17.0.1' } } },
      }),
    );
  }

  async events(_site: string, _since: number, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
    const events = new PassThrough();
    this.#events.add(events);
    signal.addEventListener('abort', () => this.#events.delete(events) && events.destroy(), { once: true });
    return Promise.resolve(events);
  }

  async createContainer(name: string, body: ContainerCreateOptions): Promise<string> {
    this.calls.push(`create ${name}`);
    const failure = this.failures.get(`create ${body.Image ?? ''}`);
    if (failure) throw failure;
    if (this.#find(name)) throw new InterlinkError('Gone', `the name ${name} is taken`);
    const id = `id-${name}`;
    const created = Date.now();
    this.containers.set(id, {
      ...{ name, body, created, state: 'created', exitCode: 0, error: '', started: undefined, finished: undefined },
    });
    return Promise.resolve(id);
  }

  async start(id: string): Promise<void> {
    const found = this.#find(id);
    if (found === undefined) throw new InterlinkError('NotFound', `no container ${id}`);
    const [, container] = found;
    const failure = this.failures.get(`start ${container.body.Image ?? ''}`);
    if (failure) {
      Object.assign(container, { error: failure.message, exitCode: 127 });
      throw failure;
    }
    Object.assign(container, { state: 'running', started: Date.now() });
    this.#tell('start', id);
    return Promise.resolve();
  }

  async putArchive(id: string): Promise<void> {
    this.archives.push(id);
    return Promise.resolve();
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    this.calls.push(`stop ${id.replace(/^id-interlink-[0-9a-f]{16}-?/, '')} ${graceSeconds}`);
    const found = this.#find(id);
    if (found?.[1].state === 'running') this.#end(id, found[1], 143);
    return Promise.resolve();
  }

  async removeContainer(id: string): Promise<void> {
    if (this.containers.delete(id)) this.#tell('destroy', id);
    return Promise.resolve();
  }

  async inspectImage(image: string): Promise<LocalImage | undefined> {
    return Promise.resolve(this.images.has(image) ? { id: image, names: [image], user: '' } : undefined);
  }

  async updateContainer(id: string, limits: Limits): Promise<void> {
    this.calls.push(`update ${id.replace(/^id-interlink-[0-9a-f]{16}-?/, '')} ${JSON.stringify(limits)}`);
    Object.assign(this.#find(id)?.[1].body.HostConfig ?? {}, limits);
    return Promise.resolve();
  }

  async pull(image: string): Promise<void> {
    this.calls.push(`pull ${image}`);
    const failure = this.failures.get(`pull ${image}`);
    if (failure) throw failure;
    this.images.add(image);
    return Promise.resolve();
  }

  async logs(id: string): Promise<Readable> {
    const text = Buffer.from(`log of ${id.replace(/^id-interlink-[0-9a-f]{16}-/, '')}`);
    return Promise.resolve(Readable.from([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), text]));
  }

  #end(id: string, container: FakeContainer, exitCode: number): void {
    Object.assign(container, { state: 'exited', exitCode, finished: Date.now() });
    this.#tell('die', id);
  }

  #tell(action: string, id: string): void {
    const labels = this.containers.get(id)?.body.Labels ?? {
      [label.job]: id.slice('id-interlink-'.length).slice(0, 16),
    };
    const event = { Type: 'container', Action: action, Actor: { ID: id, Attributes: labels } };
    for (const events of this.#events) events.write(`${JSON.stringify(event)}\n`);
  }

  #find(idOrName: string): [string, FakeContainer] | undefined {
    return [...this.containers].find(([id, { name }]) => id === idOrName || name === idOrName);
  }

  #named(name: string): [string, FakeContainer] {
    const found = [...this.containers].find(([, container]) => container.name.endsWith(`-${name}`));
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  }
}
