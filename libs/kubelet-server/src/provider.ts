import type { Duplex, Readable } from 'node:stream';
import type {
  AttachRequest,
  CommandStreams,
  ExecRequest,
  LogRequest,
  Pod,
  PortForwardRequest,
  SiteStats,
} from '@interlink/contract';

/** Id of the request on all its hops. */
interface Session {
  readonly session: string;
}

/** Whose logs are asked for, and how much of them. */
export interface LogsCall extends Session {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly options: LogRequest['Opts'];
}

export type ExecCall = ExecRequest & Session;
export type AttachCall = AttachRequest & Session;
export type PortForwardCall = PortForwardRequest & Session;

/** What stands behind the kubelet's API. Its InterlinkErrors become the answer: their status, and their message as text. */
export interface KubeletProvider {
  /** All pods that are bound to the node. */
  pods(): readonly Pod[];
  /** The one of this name. */
  findPod(namespace: string, name: string): Pod | undefined;
  /** Ends when the log does; destroyed by the server when the client hangs up, and `signal` aborts at the same time. */
  logs(call: LogsCall, signal: AbortSignal): Promise<Readable>;
  /** Starts a command; the server closes what it gets, and `signal` aborts when nobody waits for it any more. */
  exec(call: ExecCall, signal: AbortSignal): Promise<CommandStreams>;
  attach(call: AttachCall, signal: AbortSignal): Promise<CommandStreams>;
  /** One connection into the pod, each of whose directions ends on its own. */
  portForward(call: PortForwardCall, signal: AbortSignal): Promise<Duplex>;
  /** What the pods use now. */
  stats(signal: AbortSignal): Promise<SiteStats>;
}
