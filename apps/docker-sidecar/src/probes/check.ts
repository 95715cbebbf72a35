import type { Container } from '@interlink/contract';
import { isCode } from '@interlink/contract';
import type { ContainerFact } from '../facts.ts';
import { isServing } from './check-grpc.ts';
import { httpGet, isHealthy, type Dial } from './check-http.ts';
import type { ReachCalls } from './reach-engine.ts';
import { careFor, portOf, type Probe } from './settings.ts';

/** Where probes and hooks of one container go. */
export interface PodReach {
  readonly engine: ReachCalls;
  readonly sandbox: ContainerFact;
  readonly fact: ContainerFact;
  readonly container: Container;
  /** `$(VAR)` in a command. */
  readonly text: (value: string) => string;
}

/** The pod's address as it sees it itself; with the host's network it has none of its own. */
export function podHost({ sandbox }: PodReach): string {
  return sandbox.ip || '127.0.0.1';
}

export function dialer({ engine, sandbox }: PodReach, signal: AbortSignal): Dial {
  return (host, port) => engine.dial(sandbox.id, host, port, signal);
}

/** @returns undefined when nothing can be said: the engine does not answer, or the probe names nothing that exists. */
export async function checkProbe(reach: PodReach, probe: Probe, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    return await look(reach, probe, signal);
  } catch (error) {
    // Cut by its timeout, or refused: that is an answer. An engine that is away is not.
    return isCode(error, 'Unavailable') && !signal.aborted ? undefined : false;
  }
}

async function look(reach: PodReach, probe: Probe, signal: AbortSignal): Promise<boolean | undefined> {
  const { exec, httpGet: http, tcpSocket, grpc } = probe;
  const { engine, sandbox, fact, container, text } = reach;
  const { ports } = careFor(container);
  if (exec) return (await engine.run(fact.id, (exec.command ?? []).map(text), signal)).exitCode === 0;
  if (http) {
    const port = portOf(http.port, ports);
    if (port === undefined) return undefined;
    const target = { action: http, host: podHost(reach), port, purpose: 'probe' };
    return isHealthy(await httpGet(target, dialer(reach, signal), signal));
  }
  if (tcpSocket) {
    const port = portOf(tcpSocket.port, ports);
    if (port === undefined) return undefined;
    const argv = ['/sandbox', 'reach', String(port), tcpSocket.host || podHost(reach)];
    return (await engine.run(sandbox.id, argv, signal)).exitCode === 0;
  }
  if (grpc) {
    const target = { host: podHost(reach), port: grpc.port, service: grpc.service ?? '' };
    return isServing(target, dialer(reach, signal), signal);
  }
  return undefined;
}
