import type { IncomingMessage } from 'node:http';
import { InterlinkError, ownerHeader, parseOwner } from '@interlink/contract';
import type { Grant } from './listen.ts';

/** Who calls: the name that the config gives to a key, a client certificate or the unix socket. */
export interface Caller extends Grant {
  readonly name: string;
}

/** Decides about the callers of one listener; undefined = not acceptable. */
export type Gate = (request: IncomingMessage) => Promise<Caller | undefined>;

// Beside the request, not on it: nothing in a handler can forge or overwrite what the listener found out.
const gates = new WeakMap<IncomingMessage, Gate>();
const callers = new WeakMap<IncomingMessage, Caller>();

/** Told by the server for each request: at which listener it arrived. */
export function arrivedAt(request: IncomingMessage, gate: Gate): void {
  gates.set(request, gate);
}

/** Finds out who calls, and remembers it for {@link callerOf}. @throws InterlinkError Unauthenticated */
export async function authenticate(request: IncomingMessage): Promise<Caller> {
  const caller = await gates.get(request)?.(request);
  if (caller === undefined) throw unauthenticated();
  callers.set(request, caller);
  return caller;
}

/** The caller of a request that has passed {@link authenticate}. @throws InterlinkError Unauthenticated */
export function callerOf(request: IncomingMessage): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw unauthenticated();
  return caller;
}

/**
 * The owner that a request acts for: the stated one if its caller may, else the caller's default.
 * @throws InterlinkError Unauthenticated, Malformed, or Denied for an owner that this caller may not act for.
 */
export function ownerOf(request: IncomingMessage): string {
  const { name, owners, defaultOwner } = callerOf(request);
  const stated = request.headers[ownerHeader];
  if (stated === undefined) return defaultOwner;
  const owner = parseOwner(String(stated));
  if (owner === defaultOwner || owners.includes('*') || owners.includes(owner)) return owner;
  throw new InterlinkError(
    'Denied',
    `${name} may not act for owner ${owner}: add it to the owners of ${name} in the listen section of this service`,
  );
}

function unauthenticated(): InterlinkError {
  return new InterlinkError(
    'Unauthenticated',
    'this listener accepts only known keys and client certificates: send Authorization: Bearer KEY, or a certificate that it knows',
  );
}
