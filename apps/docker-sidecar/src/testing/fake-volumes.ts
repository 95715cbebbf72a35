import { InterlinkError } from '@interlink/contract';
import type { ContainerCreateOptions } from 'dockerode';
import type { MemoryVolume, ProgramResult, VolumeCalls } from '../volumes/volume-engine.ts';

const done: ProgramResult = { exitCode: 0, stdout: '', stderr: '' };

/** Volumes in memory. Programs of the sandbox do what {@link FakeVolumes.program} says. */
export class FakeVolumes implements VolumeCalls {
  readonly made = new Map<string, MemoryVolume | undefined>();
  readonly calls: string[] = [];
  minor = 41;
  program: (argv: readonly string[]) => ProgramResult = ([, command, ...args]) =>
    command === 'resolve' ? { ...done, stdout: JSON.stringify({ path: args.at(-1), kind: 'directory' }) } : done;

  get size(): number {
    return this.made.size;
  }

  create(name: string, _labels: Record<string, string>, memory: MemoryVolume | undefined): Promise<void> {
    this.made.set(name, memory);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.made.delete(name);
    return Promise.resolve();
  }

  mountpoint(name: string): Promise<string> {
    if (this.made.has(name) || !name.startsWith('interlink-')) return Promise.resolve(`/engine/${name}/_data`);
    return Promise.reject(new InterlinkError('NotFound', `no volume ${name}`));
  }

  run(_id: string, argv: readonly string[]): Promise<ProgramResult> {
    this.calls.push(argv.slice(1).join(' '));
    return Promise.resolve(this.program(argv));
  }

  pause(id: string): Promise<void> {
    this.calls.push(`pause ${id}`);
    return Promise.resolve();
  }

  unpause(id: string): Promise<void> {
    this.calls.push(`unpause ${id}`);
    return Promise.resolve();
  }

  paused(): Promise<string[]> {
    return Promise.resolve([]);
  }

  apiMinor(): Promise<number> {
    return Promise.resolve(this.minor);
  }

  runHelper(_name: string, body: ContainerCreateOptions): Promise<ProgramResult> {
    this.calls.push(`helper ${body.Cmd?.join(' ') ?? ''}`);
    return Promise.resolve(done);
  }
}
