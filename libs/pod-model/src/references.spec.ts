import { podSchema } from '@interlink/contract';
import { listReferences } from './references.ts';

it('lists every object once for each purpose, optional only if every use is', () => {
  const key = (name: string, optional?: boolean) => ({ name, key: 'k', optional });
  const pod = podSchema.parse({
    metadata: { name: 'p' },
    spec: {
      imagePullSecrets: [{ name: 'login' }, {}, { name: 'login' }],
      initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 's', optional: true } }] }],
      containers: [
        {
          name: 'c',
          envFrom: [{ configMapRef: { name: 'cm', optional: true } }],
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: key('cm') } },
            { name: 'B', valueFrom: { secretKeyRef: key('s', true) } },
            { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
        },
      ],
      volumes: [
        { name: 'v1', configMap: { name: 'cm', optional: true } },
        { name: 'v2', secret: { secretName: 's' } },
        {
          name: 'v3',
          projected: {
            sources: [
              { configMap: { name: 'kube-root-ca.crt' } },
              { secret: { name: 's', optional: true } },
              { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
              { serviceAccountToken: { path: 'vault', audience: 'vault', expirationSeconds: 600 } },
            ],
          },
        },
        { name: 'v4', emptyDir: {} },
      ],
    },
  });
  const { objects, tokens } = listReferences(pod);
  expect(objects).toEqual([
    { kind: 'Secret', name: 's', purpose: 'env', optional: true },
    { kind: 'ConfigMap', name: 'cm', purpose: 'env', optional: false },
    { kind: 'ConfigMap', name: 'cm', purpose: 'volume', optional: true },
    { kind: 'Secret', name: 's', purpose: 'volume', optional: false },
    { kind: 'ConfigMap', name: 'kube-root-ca.crt', purpose: 'projected', optional: false },
    { kind: 'Secret', name: 's', purpose: 'projected', optional: true },
    { kind: 'Secret', name: 'login', purpose: 'pull', optional: true },
  ]);
  expect(tokens).toEqual([
    { volume: 'v3', path: 'token', audience: undefined, expirationSeconds: 3600 },
    { volume: 'v3', path: 'vault', audience: 'vault', expirationSeconds: 600 },
  ]);
});
