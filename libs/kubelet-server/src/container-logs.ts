import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import { InterlinkError, sessionHeader, sessionOf } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import { hangUpOf } from './hang-up.ts';
import { logOptionsOf } from './log-options.ts';
import type { KubeletProvider } from './provider.ts';

/** What `kubectl logs` comes to; the API server relays the text of an error to the user. */
export const containerLogsPath = '/containerLogs/:namespace/:pod/:container';

interface LogsParams {
  namespace: string;
  pod: string;
  container: string;
}

export function containerLogs(provider: KubeletProvider, log: Logger): RequestHandler<LogsParams> {
  return async (request, response) => {
    const { namespace, pod, container } = request.params;
    const query = new URL(request.url, 'https://node').searchParams;
    const options = logOptionsOf(query);
    const found = provider.findPod(namespace, pod);
    if (found === undefined) throw new InterlinkError('NotFound', `pod "${pod}" not found`);

    const session = sessionOf(request.headers[sessionHeader]);
    const signal = hangUpOf(response);
    const asked = { namespace, pod, uid: found.metadata.uid, container, options, session };
    const stream = await provider.logs(asked, signal).catch((error: unknown) => {
      throw shownToUser(error);
    });
    response.type('text/plain');
    // A quiet log may not have a byte for hours, and the client waits for the head of the answer.
    if (options.Follow) response.flushHeaders();
    stream.once('error', (err) => {
      if (!signal.aborted) log.warn({ err, session, pod: `${namespace}/${pod}`, container }, 'log broken off');
    });
    await pipeline(stream, response).catch(() => {
      // The head is out: a cut connection is the only way left to say that the log is not whole. And a client that left
      // before the log came leaves pipeline nothing to do, not even to close the log.
      response.destroy();
      stream.destroy();
    });
  };
}

/** Of a kubelet's answers the API server relays the text of 400 and 500 alone; for any other it has words of its own. */
function shownToUser(error: unknown): unknown {
  if (!(error instanceof InterlinkError)) return error;
  return new InterlinkError(error.retryable ? 'Internal' : 'Malformed', error.message, { cause: error });
}
