import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { openBearerKeys } from './bearer-keys.ts';
import type { Caller, Gate } from './caller.ts';
import { grantOf, type ListenerConfig } from './listen.ts';

/**
 * What a listener demands of its callers: nothing beyond opening the file on a unix socket, else a client certificate
 * of a known name or a known key.
 * @throws StartError for an unusable key file.
 */
export async function createGate(listener: ListenerConfig, log: Logger): Promise<Gate> {
  if (listener.address.startsWith('unix:')) {
    const caller: Caller = { name: 'unix', ...grantOf(listener) };
    return () => Promise.resolve(caller);
  }
  const keys = await openBearerKeys(listener.keys ?? [], log);
  const clients = (listener.clients ?? []).map((config) => ({
    san: config.san,
    caller: { name: config.name, ...grantOf(config) },
  }));
  return async (request) => {
    const { socket } = request;
    // `authorized` = signed by clientCaFile and valid today. Without a certificate it is false, and a key may do.
    const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
    const known = certificate && clients.find(({ san }) => hasSan(certificate, san));
    return known?.caller ?? keys.callerWith(request.headers.authorization);
  };
}

/** In `clients`: whoever the CA has signed. */
export const anySan = '*';

/** Whether a certificate carries exactly this `DNS:`, `URI:` or `IP:` name; wildcards and the CN do not count. */
export function hasSan(certificate: X509Certificate, san: string): boolean {
  if (san === anySan) return true;
  const value = san.slice(san.indexOf(':') + 1);
  if (san.startsWith('DNS:')) {
    return certificate.checkHost(value, { subject: 'never', wildcards: false }) !== undefined;
  }
  if (san.startsWith('IP:')) return certificate.checkIP(value) !== undefined;
  const names = certificate.subjectAltName ?? '';
  // Quotes mean a name with separators inside, made to look like several; no honest URI needs them.
  return !names.includes('"') && names.split(', ').includes(san);
}
