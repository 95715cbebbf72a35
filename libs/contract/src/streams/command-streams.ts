import type { Readable, Writable } from 'node:stream';
import type { InterlinkError } from '../errors.ts';

/** In characters. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** How a command came to its end: its exit code, or why nobody knows one. */
export type CommandOutcome = { readonly exitCode: number } | { readonly error: InterlinkError };

/** A command that runs at the site. */
export interface CommandStreams {
  /** Its end() closes the command's stdin. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  /** undefined with a terminal: there the two outputs are one. */
  readonly stderr: Readable | undefined;
  readonly resize: (size: TerminalSize) => void;
  /** Never rejects; settles after the outputs have ended. */
  readonly outcome: Promise<CommandOutcome>;
  /** Hangs up: the streams end, and the outcome is an error if there was none yet. */
  readonly close: () => void;
}
