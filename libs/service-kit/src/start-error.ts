import { types } from 'node:util';

const { isNativeError } = types;

/** The service cannot start. The message is one line that says what is wrong and what to do about it. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartError';
  }
}

/** The system's error code (`EADDRINUSE`, `ENOENT`, ...) of a thrown value, if it has one. */
export function errnoOf(thrown: unknown): string | undefined {
  return isNativeError(thrown) && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

const advice: { readonly [code in string]?: string } = {
  EADDRINUSE: 'the address is in use: stop the other process or choose another address',
  EADDRNOTAVAIL: 'this machine does not have that address: choose one of its own',
  EACCES: 'permission denied: check the owner and the mode of the file, or choose a port above 1023',
  EPERM: 'permission denied: check the owner and the mode of the file',
  ENOENT: 'the file does not exist: create it or correct its path in the configuration',
};

/** One line for a person, whatever was thrown during the start. */
export function startFailure(thrown: unknown): string {
  const message = isNativeError(thrown) ? thrown.message : String(thrown);
  const hint = thrown instanceof StartError ? undefined : advice[errnoOf(thrown) ?? ''];
  return (hint === undefined ? message : `${message}; ${hint}`).replace(/\s*\n\s*/g, '; ');
}
