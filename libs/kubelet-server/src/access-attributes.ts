/** What is asked of the cluster's authorizer: may the user do `verb` to `nodes/<name>/<subresource>`? */
export interface AccessAttributes {
  readonly verb: string;
  readonly resource: 'nodes';
  readonly name: string;
  readonly subresource: string;
}

const verbs = new Map([
  ['POST', 'create'],
  ['GET', 'get'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

/** Paths that ask for less than `nodes/proxy`, with the subresources of which any one is enough. */
const subresources: readonly (readonly [path: string, anyOf: readonly string[]])[] = [
  ['/stats', ['stats']],
  ['/metrics', ['metrics']],
  ['/pods', ['pods', 'proxy']],
  ['/runningpods', ['pods', 'proxy']],
  ['/healthz', ['healthz', 'proxy']],
  ['/configz', ['configz', 'proxy']],
];

/** Any one of these lets the request pass, as with the kubelet. A method without a verb is left to those who may do all. */
export function accessFor(method: string, path: string, nodeName: string): AccessAttributes[] {
  const verb = verbs.get(method) ?? method.toLowerCase();
  const [, anyOf] = subresources.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`)) ?? [
    '',
    ['proxy'],
  ];
  return anyOf.map((subresource) => ({ verb, resource: 'nodes', name: nodeName, subresource }));
}
