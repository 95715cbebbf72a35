import { accessFor } from './access-attributes.ts';

it.each([
  ['GET', '/containerLogs/ns/pod/c', 'get', ['proxy']],
  ['POST', '/exec/ns/pod/c', 'create', ['proxy']],
  ['GET', '/stats/summary', 'get', ['stats']],
  ['GET', '/metrics/resource', 'get', ['metrics']],
  ['GET', '/pods', 'get', ['pods', 'proxy']],
  ['GET', '/runningpods/', 'get', ['pods', 'proxy']],
  ['GET', '/healthz', 'get', ['healthz', 'proxy']],
  ['GET', '/configz', 'get', ['configz', 'proxy']],
  ['PUT', '/', 'update', ['proxy']],
  // Only look like one of the above.
  ['GET', '/healthzz', 'get', ['proxy']],
  ['GET', '/HEALTHZ', 'get', ['proxy']],
  ['GET', '//stats', 'get', ['proxy']],
  ['GET', '', 'get', ['proxy']],
  ['OPTIONS', '/healthz', 'options', ['healthz', 'proxy']],
])('%s %s asks for %s on %j', (method, path, verb, subresources) => {
  expect(accessFor(method, path, 'n1')).toEqual(
    subresources.map((subresource) => ({ verb, resource: 'nodes', name: 'n1', subresource })),
  );
});
