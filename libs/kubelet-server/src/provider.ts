import type { Readable } from 'node:stream';
import type { LogRequest } from '@interlink/contract';

/** Whose logs are asked for, and how much of them. */
export interface LogsCall {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly options: LogRequest['Opts'];
  /** Id of the request on all its hops. */
  readonly session: string;
}

/** What stands behind the kubelet's API. Its InterlinkErrors become the answer: their status, and their message as text. */
export interface KubeletProvider {
  /** The pod of this name that is bound to the node. */
  findPod(namespace: string, name: string): { readonly uid: string } | undefined;
  /** Ends when the log does; destroyed by the server when the client hangs up, and `signal` aborts at the same time. */
  logs(call: LogsCall, signal: AbortSignal): Promise<Readable>;
}
