import { InterlinkError } from '@interlink/contract';
import type { StreamsWanted } from './stream-session.ts';

/**
 * The query of /exec and /attach, as the kubelet reads it: only `1` means yes.
 * @throws InterlinkError Malformed
 */
export function streamsWanted(query: URLSearchParams): StreamsWanted {
  const isOn = (name: string) => query.get(name) === '1';
  const tty = isOn('tty');
  // With a terminal there is one output.
  const wanted = { stdin: isOn('input'), stdout: isOn('output'), stderr: isOn('error') && !tty, tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw new InterlinkError('Malformed', 'you must specify at least 1 of stdin, stdout, stderr');
  }
  return wanted;
}
