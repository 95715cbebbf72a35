import { InterlinkError } from '@interlink/contract';

/** What a path asks for; a uid only where the caller insists on that pod. */
export type StreamTarget = { readonly namespace: string; readonly pod: string; readonly uid: string | undefined } & (
  { readonly kind: 'exec' | 'attach'; readonly container: string } | { readonly kind: 'portForward' }
);

/** /exec and /attach with /NAMESPACE/POD[/UID]/CONTAINER, /portForward with /NAMESPACE/POD[/UID]; undefined for any other. */
export function streamTarget(path: string): StreamTarget | undefined {
  const [root, kind, ...encoded] = path.split('/');
  if (root !== '' || encoded.includes('')) return undefined;
  const parts = encoded.map(decoded);
  const [namespace = '', pod = ''] = parts;
  if (kind === 'portForward') {
    return parts.length === 2 || parts.length === 3 ? { kind, namespace, pod, uid: parts[2] } : undefined;
  }
  if (kind !== 'exec' && kind !== 'attach') return undefined;
  const container = parts.at(-1) ?? '';
  if (parts.length === 3) return { kind, namespace, pod, uid: undefined, container };
  return parts.length === 4 ? { kind, namespace, pod, uid: parts[2], container } : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new InterlinkError('Malformed', 'the path cannot be read', { cause });
  }
}
