import { resourceOfPath } from './resource-of-path.ts';

it.each([
  ['/api/v1/pods', 'pods'],
  ['/api/v1/nodes/a/status', 'nodes/status'],
  ['/api/v1/namespaces', 'namespaces'],
  ['/api/v1/namespaces/kube-system', 'namespaces'],
  ['/api/v1/namespaces/a/finalize', 'namespaces/finalize'],
  ['/api/v1/namespaces/a/pods', 'pods'],
  ['/api/v1/namespaces/a/pods/b', 'pods'],
  ['/api/v1/namespaces/a/serviceaccounts/b/token', 'serviceaccounts/token'],
  ['/apis/coordination.k8s.io/v1/namespaces/a/leases/b', 'leases'],
  ['/apis', 'apis'],
  ['/version', 'version'],
])('%s is about %s', (path, resource) => {
  expect(resourceOfPath(path)).toBe(resource);
});
