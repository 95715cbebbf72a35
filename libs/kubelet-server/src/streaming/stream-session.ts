import type { Readable, Writable } from 'node:stream';

/** Somebody's exec or attach, whatever protocol it came by. */
export interface StreamSession {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** How the command ended. */
  readonly error: Writable;
  /** JSON, one terminal size after the other. */
  readonly resize: Readable | undefined;
  /** What the client understands on `error`: a metav1.Status, or (before v4) plain text and nothing for success. */
  readonly errorFormat: 'status' | 'text';
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** Ends the connection once what was written has gone out. */
  close(): Promise<void>;
}

/** Which streams the client asked for. */
export interface StreamsWanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** From v4 on the error stream carries a Status. */
export function errorFormatOf(protocol: string): StreamSession['errorFormat'] {
  return /^v[45]\./.test(protocol) ? 'status' : 'text';
}
