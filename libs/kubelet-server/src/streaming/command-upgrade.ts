import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { InterlinkError, type Pod } from '@interlink/contract';
import type { KubeletProvider } from '../provider.ts';
import { attachStatus, execStatus, type Status } from './outcome-status.ts';
import { runCommand } from './run-command.ts';
import { spdyCommandProtocols, spdySession } from './spdy-session.ts';
import { streamsWanted } from './streams-wanted.ts';
import type { StreamTarget } from './stream-path.ts';
import type { StreamSession } from './stream-session.ts';
import type { Upgrade } from './upgrade.ts';
import { wsCommandProtocols, wsSession } from './websocket/ws-session.ts';

type CommandTarget = Extract<StreamTarget, { kind: 'exec' | 'attach' }>;

/** Exec and attach. @throws InterlinkError while the answer is still HTTP; later ones are told to the client as a Status */
export async function serveCommand(
  upgrade: Upgrade,
  target: CommandTarget,
  { metadata, spec }: Pod,
  provider: KubeletProvider,
  stop: AbortSignal,
): Promise<Status | undefined> {
  const wanted = streamsWanted(upgrade.query);
  const { kind, namespace, pod: podName, container: containerName } = target;
  const { containers, initContainers, ephemeralContainers } = spec;
  const known = [containers, initContainers, ephemeralContainers].flatMap(namesOf);
  if (!known.includes(containerName)) throw new InterlinkError('NotFound', `container not found ("${containerName}")`);
  const request = { podUID: metadata.uid, namespace, podName, containerName, ...wanted, session: upgrade.session };
  const command = upgrade.query.getAll('command');
  if (kind === 'exec' && command.length === 0) throw new InterlinkError('Malformed', 'you must specify a command');

  const session = await openSession(upgrade, wanted);
  if (session === undefined) return undefined;
  return runCommand(session, {
    start: (signal) =>
      kind === 'exec' ? provider.exec({ ...request, command }, signal) : provider.attach(request, signal),
    statusOf: kind === 'exec' ? execStatus : attachStatus,
    stop,
  });
}

async function openSession(
  upgrade: Upgrade,
  wanted: ReturnType<typeof streamsWanted>,
): Promise<StreamSession | undefined> {
  if (upgrade.kind === 'websocket') {
    const protocol = upgrade.choose(wsCommandProtocols);
    return wsSession(await upgrade.toWebSocket(protocol), protocol, wanted);
  }
  const protocol = upgrade.choose(spdyCommandProtocols);
  const transport: Duplex = upgrade.toSpdy(protocol);
  // The connection is closed then, which is all that the client can be told.
  return spdySession(transport, protocol, wanted).catch((error: unknown) => upgrade.brokenOff(error));
}

/** Ephemeral containers are no part of what the contract reads of a Pod, so their shape is not known. */
const namedSchema = z.array(z.looseObject({ name: z.string() })).catch([]);

function namesOf(list: unknown): string[] {
  return namedSchema.parse(list).map(({ name }) => name);
}
