import { basename } from 'node:path';
import type { Container } from '@interlink/contract';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import { pack, type Pack } from 'tar-stream';
import type { EngineCalls } from '../engine.ts';
import { messagesFolder, type ContainerFact } from '../facts.ts';
import { plainLog } from '../logs.ts';
import { containerFields } from '../spec/pod-fields.ts';
import { careFor } from '../probes/settings.ts';

const maxFileBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

/** One attempt of a container: each writes a file of its own. */
interface Attempt {
  readonly name: string;
  readonly attempt: number;
}

/** An unnamed volume, gone with the sandbox, holds the messages: the engine's host can bind single files of it. */
export function withMessages(sandbox: ContainerCreateOptions): ContainerCreateOptions {
  const mount: MountSettings = { Type: 'volume', Source: '', Target: messagesFolder };
  return { ...sandbox, HostConfig: { ...sandbox.HostConfig, Mounts: [...(sandbox.HostConfig?.Mounts ?? []), mount] } };
}

/** Empty files that any user may write; the archive is one for the sandbox's folder of volumes. */
export function addMessageFiles(tar: Pack, attempts: readonly Attempt[]): void {
  const folder = basename(messagesFolder);
  for (const one of attempts) tar.entry({ name: `${folder}/${fileOf(one)}`, mode: 0o666 }, '');
}

export async function messageFile(attempt: Attempt): Promise<Buffer> {
  const tar = pack();
  addMessageFiles(tar, [attempt]);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** None where the sandbox was made by a sidecar that knew nothing of messages. */
export function messageMount(sandbox: ContainerFact, container: Container, attempt: number): MountSettings[] {
  if (sandbox.messagesSource === '') return [];
  const source = `${sandbox.messagesSource}/${fileOf({ name: container.name, attempt })}`;
  return [{ Type: 'bind', Source: source, Target: careFor(container).messagePath, ReadOnly: false }];
}

/** What an ended container left to be said: the end of its file, or of its log if it failed and asked for that. */
export async function readMessage(
  engine: EngineCalls,
  sandbox: ContainerFact,
  fact: ContainerFact,
  container: Container,
  signal: AbortSignal,
): Promise<string> {
  if (sandbox.messagesSource !== '') {
    const path = `${messagesFolder}/${fileOf(fact)}`;
    const text = await engine.reach.tailOfFile(sandbox.id, path, maxFileBytes, signal);
    if (text?.length) return String(text);
  }
  if (!careFor(container).fallsBackToLogs || fact.exitCode === 0) return '';
  const framed = await engine.logs(fact.id, { stdout: 'true', stderr: 'true', tail: String(maxLogLines) }, signal);
  let tail = Buffer.alloc(0);
  for await (const chunk of plainLog(framed, 0, containerFields(container).tty ?? false) as AsyncIterable<Buffer>)
    tail = Buffer.concat([tail, chunk]).subarray(-maxLogBytes);
  return String(tail);
}

function fileOf({ name, attempt }: Attempt): string {
  return `${name}-${attempt}`;
}
