const subresourcesOfNamespace = ['status', 'finalize'];

/**
 * The resource an API path is about, with the subresource (`pods/status`, `nodes`, `serviceaccounts/token`): a label of
 * few values for metrics. Paths outside the resource API are named by their first part.
 */
export function resourceOfPath(path: string): string {
  const parts = path.split('/').filter(Boolean);
  let at = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : -1;
  if (at < 0 || parts.length <= at) return parts[0] ?? '/';
  const inNamespace =
    parts[at] === 'namespaces' && parts.length > at + 2 && !subresourcesOfNamespace.includes(parts[at + 2] ?? '');
  if (inNamespace) at += 2;
  const subresource = parts[at + 2];
  return subresource === undefined ? (parts[at] ?? '/') : `${parts[at]}/${subresource}`;
}
