import { podSchema } from '@interlink/contract';
import { checkPod } from './check-pod.ts';

/** `kubectl create deployment web --image=nginx`, as its pod comes back from a kube-apiserver, node and token included. */
const container = {
  image: 'nginx',
  imagePullPolicy: 'Always',
  name: 'nginx',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  volumeMounts: [
    { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: 'kube-api-access-x7zk2', readOnly: true },
  ],
};
const spec = {
  containers: [container],
  dnsPolicy: 'ClusterFirst',
  enableServiceLinks: true,
  nodeName: 'virtual',
  preemptionPolicy: 'PreemptLowerPriority',
  priority: 0,
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  serviceAccount: 'default',
  serviceAccountName: 'default',
  terminationGracePeriodSeconds: 30,
  tolerations: [
    { effect: 'NoExecute', key: 'node.kubernetes.io/not-ready', operator: 'Exists', tolerationSeconds: 300 },
    { effect: 'NoExecute', key: 'node.kubernetes.io/unreachable', operator: 'Exists', tolerationSeconds: 300 },
  ],
  volumes: [
    {
      name: 'kube-api-access-x7zk2',
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
          {
            downwardAPI: {
              items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
            },
          },
        ],
      },
    },
  ],
};
const metadata = {
  creationTimestamp: '2026-01-01T00:00:00Z',
  generateName: 'web-5b8d-',
  generation: 1,
  labels: { app: 'web' },
  name: 'web-5b8d-x7zk2',
  namespace: 'default',
  ownerReferences: [{ apiVersion: 'apps/v1', controller: true, kind: 'ReplicaSet', name: 'web-5b8d', uid: 'r' }],
  resourceVersion: '123',
  uid: 'u',
};
const pod = (changed: object) =>
  podSchema.parse({ metadata, spec: { ...spec, ...changed }, status: { phase: 'Pending' } });
const withContainer = (changed: object) => pod({ containers: [{ ...container, ...changed }] });
const withVolume = (volume: object) => pod({ volumes: [...spec.volumes, { name: 'v', ...volume }] });

function refused(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ code: 'Invalid' });
    const { field, message } = error as { field: string; message: string };
    expect(message).toContain(field);
    return field;
  }
  return undefined;
}

it('accepts an ordinary pod with all that the kube-apiserver fills in', () => {
  expect(refused(() => checkPod(pod({})))).toBeUndefined();
});

describe('accepts what is at its default, is carried out, or speaks to the cluster', () => {
  it.each<[string, object]>([
    ['hostNetwork false', { hostNetwork: false, hostPID: false, hostIPC: false, shareProcessNamespace: false }],
    ['empty lists and objects', { hostAliases: [], dnsConfig: {}, ephemeralContainers: null, overhead: {} }],
    ['host users', { hostUsers: true }],
    ['linux', { os: { name: 'linux' } }],
    ['scheduling', { nodeSelector: { a: 'b' }, affinity: { nodeAffinity: {} }, topologySpreadConstraints: [{}] }],
    ['readiness gates', { readinessGates: [{ conditionType: 'x' }] }],
    ['pull secrets', { imagePullSecrets: [{ name: 's' }] }],
    ['init containers', { initContainers: [{ ...container, name: 'init' }] }],
    ['dnsPolicy Default', { dnsPolicy: 'Default' }],
  ])('%s', (_, changed) => expect(refused(() => checkPod(pod(changed)))).toBeUndefined());

  it.each<[string, object]>([
    ['cpu and memory', { resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } } }],
    ['ports', { ports: [{ containerPort: 80, protocol: 'TCP' }] }],
    ['false and empty', { stdin: false, tty: false, securityContext: { privileged: false, capabilities: {} } }],
    ['default propagation', { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'None' }] }],
    ['envFrom that has been resolved', { envFrom: [] }],
  ])('%s', (_, changed) => expect(refused(() => checkPod(withContainer(changed)))).toBeUndefined());

  it.each<object>([
    {},
    { emptyDir: {} },
    { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { emptyDir: { medium: '' } },
    { configMap: { name: 'c', defaultMode: 420 } },
    { secret: { secretName: 's', defaultMode: 420 } },
    { downwardAPI: { items: [], defaultMode: 420 } },
    { hostPath: null, emptyDir: {} },
  ])('volume %j', (volume) => expect(refused(() => checkPod(withVolume(volume)))).toBeUndefined());
});

describe('refuses by name', () => {
  it.each<[string, object]>([
    ['hostNetwork', { hostNetwork: true }],
    ['hostPID', { hostPID: true }],
    ['hostIPC', { hostIPC: true }],
    ['hostUsers', { hostUsers: false }],
    ['shareProcessNamespace', { shareProcessNamespace: true }],
    ['securityContext', { securityContext: { runAsUser: 0 } }],
    ['activeDeadlineSeconds', { activeDeadlineSeconds: 60 }],
    ['hostname', { hostname: 'h' }],
    ['subdomain', { subdomain: 's' }],
    ['hostAliases', { hostAliases: [{ ip: '10.0.0.1', hostnames: ['h'] }] }],
    ['dnsPolicy', { dnsPolicy: 'None' }],
    ['dnsConfig', { dnsConfig: { nameservers: ['10.0.0.1'] } }],
    ['runtimeClassName', { runtimeClassName: 'gvisor' }],
    ['resourceClaims', { resourceClaims: [{ name: 'gpu' }] }],
    ['resources', { resources: { limits: { cpu: '1' } } }],
    ['ephemeralContainers', { ephemeralContainers: [{ name: 'debug' }] }],
    ['os', { os: { name: 'windows' } }],
    ['aFieldOfTheFuture', { aFieldOfTheFuture: 'x' }],
  ])('spec.%s', (field, changed) => expect(refused(() => checkPod(pod(changed)))).toBe(`spec.${field}`));

  it.each<[string, object]>([
    ['livenessProbe', { livenessProbe: { exec: { command: ['true'] } } }],
    ['readinessProbe', { readinessProbe: { tcpSocket: { port: 80 } } }],
    ['startupProbe', { startupProbe: { httpGet: { port: 80 } } }],
    ['lifecycle', { lifecycle: { preStop: { exec: { command: ['true'] } } } }],
    ['securityContext', { securityContext: { runAsUser: 1000 } }],
    ['securityContext', { securityContext: { allowPrivilegeEscalation: false } }],
    ['volumeDevices', { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }],
    ['restartPolicy', { restartPolicy: 'Always' }],
    ['stdin', { stdin: true }],
    ['tty', { tty: true }],
    ['ports', { ports: [{ containerPort: 80, hostPort: 80 }] }],
    ['envFrom', { envFrom: [{ configMapRef: { name: 'c' } }] }],
    ['image', { image: '' }],
    ['terminationMessagePath', { terminationMessagePath: '/tmp/log' }],
    ['terminationMessagePolicy', { terminationMessagePolicy: 'FallbackToLogsOnError' }],
    ['resources.limits.nvidia.com/gpu', { resources: { limits: { 'nvidia.com/gpu': '1' } } }],
    ['resources.requests.ephemeral-storage', { resources: { requests: { 'ephemeral-storage': '1Gi' } } }],
    [
      'volumeMounts[1].subPath',
      { volumeMounts: [...container.volumeMounts, { name: 'v', mountPath: '/v', subPath: 's' }] },
    ],
    ['volumeMounts[0].subPathExpr', { volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(X)' }] }],
    [
      'volumeMounts[0].mountPropagation',
      { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] },
    ],
  ])('%s of any container', (field, changed) => {
    expect(refused(() => checkPod(withContainer(changed)))).toBe(`spec.containers[0].${field}`);
    const initContainers = [
      { ...container, name: 'a' },
      { ...container, name: 'b', ...changed },
    ];
    expect(refused(() => checkPod(pod({ initContainers })))).toBe(`spec.initContainers[1].${field}`);
  });

  it.each<[string, object]>([
    ['hostPath', { hostPath: { path: '/', type: '' } }],
    ['persistentVolumeClaim', { persistentVolumeClaim: { claimName: 'c' } }],
    ['nfs', { nfs: { server: 's', path: '/' } }],
    ['csi', { csi: { driver: 'd' } }],
    ['ephemeral', { ephemeral: { volumeClaimTemplate: {} } }],
    ['emptyDir.medium', { emptyDir: { medium: 'HugePages' } }],
  ])('volume %s', (field, volume) =>
    expect(refused(() => checkPod(withVolume(volume)))).toBe(`spec.volumes[1].${field}`),
  );
});
