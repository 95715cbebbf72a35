import { podSchema } from '@interlink/contract';
import { checkPod, type SiteRules } from './check-pod.ts';
import { siteDefaults } from './testing/jobs.ts';

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
/** One that allows nothing of the host's, and lends out two boards. */
const site: SiteRules = { ...siteDefaults, devices: { 'example.org/board': 2 }, apiMinor: 41 };
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
  expect(refused(() => checkPod(pod({}), site))).toBeUndefined();
});

describe('accepts what is at its default, is carried out, or speaks to the cluster', () => {
  it.each<[string, object]>([
    ['hostNetwork false', { hostNetwork: false, hostPID: false, hostIPC: false, shareProcessNamespace: false }],
    ['empty lists and objects', { hostAliases: [], dnsConfig: {}, ephemeralContainers: null, overhead: {} }],
    ['host users', { hostUsers: true }],
    ['a deadline', { activeDeadlineSeconds: 60 }],
    ['ephemeral containers', { ephemeralContainers: [{ name: 'debug', image: 'i', targetContainerName: 'main' }] }],
    ['linux', { os: { name: 'linux' } }],
    ['scheduling', { nodeSelector: { a: 'b' }, affinity: { nodeAffinity: {} }, topologySpreadConstraints: [{}] }],
    ['readiness gates', { readinessGates: [{ conditionType: 'x' }] }],
    ['pull secrets', { imagePullSecrets: [{ name: 's' }] }],
    ['init containers', { initContainers: [{ ...container, name: 'init' }] }],
    ['dns', { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.1'], options: [{ name: 'ndots', value: '2' }] } }],
    ['names', { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true, hostAliases: [{ ip: '10.0.0.1' }] }],
    ['one process namespace', { shareProcessNamespace: true }],
    ['resources of the pod', { resources: { limits: { cpu: '1', memory: '1Gi' } } }],
    [
      'security',
      {
        securityContext: {
          ...{ runAsUser: 0, runAsGroup: 0, runAsNonRoot: false, fsGroup: 0, fsGroupChangePolicy: 'OnRootMismatch' },
          ...{ supplementalGroups: [0, 7], supplementalGroupsPolicy: 'Strict' },
          ...{ seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'Unconfined' } },
          ...{ sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '1' }], seLinuxOptions: { level: 's0' } },
        },
      },
    ],
  ])('%s', (_, changed) => expect(refused(() => checkPod(pod(changed), site))).toBeUndefined());

  it.each<[string, object]>([
    ['cpu and memory', { resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } } }],
    ['ports', { ports: [{ containerPort: 80, protocol: 'TCP', hostPort: 8080 }] }],
    ['a terminal', { stdin: true, stdinOnce: true, tty: true }],
    [
      'probes',
      {
        livenessProbe: { exec: { command: ['true'] }, terminationGracePeriodSeconds: 3 },
        readinessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 },
        startupProbe: { httpGet: { port: 'web', scheme: 'HTTPS', httpHeaders: [{ name: 'a', value: 'b' }] } },
      },
    ],
    ['a gRPC probe', { livenessProbe: { grpc: { port: 80, service: 'shop' } } }],
    ['hooks', { lifecycle: { postStart: { sleep: { seconds: 1 } }, preStop: { exec: { command: ['true'] } } } }],
    ['a stop signal', { lifecycle: { stopSignal: 'SIGUSR1' } }],
    ['a restart policy', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: {} }] }],
    ['last words', { terminationMessagePath: '/tmp/log', terminationMessagePolicy: 'FallbackToLogsOnError' }],
    ['devices', { resources: { limits: { 'example.org/board': '2' }, requests: { 'example.org/board': '2' } } }],
    ['a request of storage', { resources: { requests: { 'ephemeral-storage': '1Gi' } } }],
    [
      'security',
      {
        securityContext: {
          ...{ runAsUser: 7, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, procMount: 'Default' },
          ...{ capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] }, seccompProfile: { type: 'Unconfined' } },
        },
      },
    ],
    ['false and empty', { stdin: false, tty: false, securityContext: { privileged: false, capabilities: {} } }],
    ['default propagation', { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'None' }] }],
    ['envFrom that has been resolved', { envFrom: [] }],
  ])('%s', (_, changed) => expect(refused(() => checkPod(withContainer(changed), site))).toBeUndefined());

  it.each<object>([
    {},
    { emptyDir: {} },
    { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { emptyDir: { medium: '' } },
    { configMap: { name: 'c', defaultMode: 420 } },
    { secret: { secretName: 's', defaultMode: 420 } },
    { downwardAPI: { items: [], defaultMode: 420 } },
    { hostPath: null, emptyDir: {} },
  ])('volume %j', (volume) => expect(refused(() => checkPod(withVolume(volume), site))).toBeUndefined());
});

describe('refuses by name', () => {
  it.each<[string, object]>([
    ['hostNetwork', { hostNetwork: true }],
    ['hostPID', { hostPID: true }],
    ['hostIPC', { hostIPC: true }],
    ['hostUsers', { hostUsers: false }],
    ['securityContext.seccompProfile', { securityContext: { seccompProfile: { type: 'Localhost' } } }],
    ['securityContext.appArmorProfile', { securityContext: { appArmorProfile: { type: 'Localhost' } } }],
    ['securityContext.sysctls[0]', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }],
    ['securityContext.windowsOptions', { securityContext: { windowsOptions: { runAsUserName: 'x' } } }],
    ['securityContext.supplementalGroupsPolicy', { securityContext: { supplementalGroupsPolicy: 'Strict' } }],
    ['securityContext.runAsUser', { securityContext: { runAsUser: 'root' } }],
    ['runtimeClassName', { runtimeClassName: 'gvisor' }],
    ['resourceClaims', { resourceClaims: [{ name: 'gpu' }] }],
    ['resources.limits.example.org/board', { resources: { limits: { 'example.org/board': '1' } } }],
    ['ephemeralContainers[0].image', { ephemeralContainers: [{ name: 'debug' }] }],
    ['os', { os: { name: 'windows' } }],
    ['aFieldOfTheFuture', { aFieldOfTheFuture: 'x' }],
  ])('spec.%s', (field, changed) => expect(refused(() => checkPod(pod(changed), site))).toBe(`spec.${field}`));

  it.each<[string, object]>([
    ['livenessProbe.httpGet.protocol', { livenessProbe: { httpGet: { port: 80, protocol: 'HTTP2' } } }],
    ['startupProbe.grpc.mode', { startupProbe: { grpc: { port: 80, mode: 'TLS' } } }],
    ['readinessProbe.aField', { readinessProbe: { tcpSocket: { port: 80 }, aField: 1 } }],
    ['readinessProbe.tcpSocket.port', { readinessProbe: { tcpSocket: {} } }],
    ['lifecycle.postStart.aField', { lifecycle: { postStart: { aField: 1 } } }],
    [
      'restartPolicyRules[0].action',
      { restartPolicy: 'Never', restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: {} }] },
    ],
    ['securityContext.privileged', { securityContext: { privileged: true } }],
    ['securityContext.procMount', { securityContext: { procMount: 'Unmasked' } }],
    ['securityContext.seccompProfile', { securityContext: { seccompProfile: { type: 'Localhost' } } }],
    ['securityContext.appArmorProfile', { securityContext: { appArmorProfile: { type: 'Localhost' } } }],
    ['volumeDevices', { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }],
    ['envFrom', { envFrom: [{ configMapRef: { name: 'c' } }] }],
    ['image', { image: '' }],
    ['resources.limits.nvidia.com/gpu', { resources: { limits: { 'nvidia.com/gpu': '1' } } }],
    ['resources.limits.ephemeral-storage', { resources: { limits: { 'ephemeral-storage': '1Gi' } } }],
    ['resources.claims', { resources: { claims: [{ name: 'gpu' }] } }],
    [
      'volumeMounts[0].mountPropagation',
      { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Sideways' }] },
    ],
    [
      'volumeMounts[0].recursiveReadOnly',
      { volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'Enabled' }] },
    ],
  ])('%s of any container', (field, changed) => {
    expect(refused(() => checkPod(withContainer(changed), site))).toBe(`spec.containers[0].${field}`);
    const initContainers = [
      { ...container, name: 'a' },
      { ...container, name: 'b', ...changed },
    ];
    expect(refused(() => checkPod(pod({ initContainers }), site))).toBe(`spec.initContainers[1].${field}`);
  });

  it.each<[string, object]>([
    ['hostPath.path', { hostPath: { path: '/', type: '' } }],
    ['persistentVolumeClaim.claimName', { persistentVolumeClaim: { claimName: 'c' } }],
    ['nfs', { nfs: { server: 's', path: '/' } }],
    ['csi', { csi: { driver: 'd' } }],
    ['ephemeral', { ephemeral: { volumeClaimTemplate: {} } }],
    ['emptyDir.medium', { emptyDir: { medium: 'HugePages' } }],
  ])('volume %s', (field, volume) =>
    expect(refused(() => checkPod(withVolume(volume), site))).toBe(`spec.volumes[1].${field}`),
  );
});

it.each<[string, object]>([
  ['hostNetwork', { hostNetwork: true }],
  ['hostPID', { hostPID: true }],
  ['hostIPC', { hostIPC: true }],
  ['privileged', { containers: [{ ...container, securityContext: { privileged: true } }] }],
])('%s is for the configuration to allow', (name, changed) => {
  const allowing = { ...site, allow: { ...site.allow, [name]: true } };
  expect(refused(() => checkPod(pod(changed), allowing))).toBeUndefined();
  expect(refused(() => checkPod(pod(changed), site))).toContain(name);
});

it('sysctls of the network are refused to a pod on the host network, and more devices than there are to all', () => {
  const allowing = { ...site, allow: { ...site.allow, hostNetwork: true } };
  const sysctls = [{ name: 'net.ipv4.tcp_rmem', value: '1' }];
  const onHost = pod({ hostNetwork: true, securityContext: { sysctls } });
  expect(refused(() => checkPod(onHost, allowing))).toBe('spec.securityContext.sysctls[0]');
  const two = ['a', 'b'].map((name) => ({ ...container, name, resources: { limits: { 'example.org/board': '2' } } }));
  expect(refused(() => checkPod(pod({ containers: two }), site))).toContain('example.org/board');
});
