import type { ServerResponse } from 'node:http';

// One for all who ask: each listener on a response counts towards the number at which Node suspects a leak.
const signals = new WeakMap<ServerResponse, AbortSignal>();

/** Aborts when the client goes away (and, harmlessly, when its answer is complete). */
export function hangUpOf(response: ServerResponse): AbortSignal {
  const known = signals.get(response);
  if (known !== undefined) return known;
  const hangUp = new AbortController();
  if (response.destroyed) hangUp.abort();
  else response.once('close', () => hangUp.abort());
  signals.set(response, hangUp.signal);
  return hangUp.signal;
}
