import type { Readable } from 'node:stream';
import { InterlinkError } from './errors.ts';
import { eventsSilenceSeconds, eventSchema, type SiteEvent } from './extensions.ts';

const maxLineBytes = 4 * 1024 * 1024;

/** Parses an event stream; silence beyond the limit and oversized lines end it with `Unavailable`. */
export async function* readEvents(
  stream: Readable,
  peer: string,
  silenceMs = eventsSilenceSeconds * 1000,
): AsyncGenerator<SiteEvent> {
  stream.setEncoding('utf8');
  let silent = false;
  // Runs only while we wait for the peer: a slow reader of ours is not its silence.
  const startAlarm = () =>
    setTimeout(() => {
      silent = true;
      stream.destroy();
    }, silenceMs);
  let alarm = startAlarm();
  let rest = '';
  try {
    for await (const chunk of stream) {
      clearTimeout(alarm);
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes) {
        throw new InterlinkError('Unavailable', `${peer} sent an event line over ${maxLineBytes} bytes`);
      }
      for (const line of lines) {
        if (line !== '') yield parseEvent(line, peer);
      }
      alarm = startAlarm();
    }
  } catch (thrown) {
    if (silent) throw new InterlinkError('Unavailable', `${peer} was silent for ${silenceMs / 1000} s`);
    if (thrown instanceof InterlinkError) throw thrown;
    throw new InterlinkError(
      'Unavailable',
      `the event stream of ${peer} broke off: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  } finally {
    clearTimeout(alarm);
    stream.destroy();
  }
}

function parseEvent(line: string, peer: string): SiteEvent {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new InterlinkError('Unavailable', `${peer} sent an event line that is not as the contract says`, { cause });
  }
}
