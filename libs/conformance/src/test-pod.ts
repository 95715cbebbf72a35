import { randomBytes, randomUUID } from 'node:crypto';
import { zeroJobConfig, type Leg } from '@interlink/contract';

export type JsonObject = Record<string, unknown>;

export interface TestPodOptions {
  /** Run by `sh -c` in the container `main`. */
  readonly script: string;
  readonly spec?: JsonObject;
  /** Changes of the container `main`. */
  readonly container?: JsonObject;
  readonly uid?: string;
  readonly configMaps?: readonly JsonObject[];
  readonly secrets?: readonly JsonObject[];
  readonly projected?: readonly JsonObject[];
  readonly expandEnv?: boolean;
}

export interface TestPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly pod: { readonly metadata: JsonObject; readonly spec: JsonObject };
  readonly options: TestPodOptions;
}

export const namespace = 'conformance';

/** A pod as a virtual kubelet has it: with all that the kube-apiserver fills in, which is no reason to refuse it. */
export function testPod(image: string, prefix: string, options: TestPodOptions): TestPod {
  const { script, spec = {}, container = {}, uid = randomUUID() } = options;
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const metadata = {
    name,
    namespace,
    uid,
    labels: { app: 'interlink-conformance' },
    annotations: { 'interlink.eu/conformance': 'true' },
    creationTimestamp: new Date().toISOString(),
  };
  const main = testContainer('main', image, { command: ['sh', '-c', script], ...container });
  return {
    uid,
    name,
    namespace,
    options,
    pod: { metadata, spec: { ...specDefaults, containers: [main], ...spec } },
  };
}

export function testContainer(name: string, image: string, fields: JsonObject): JsonObject {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...fields,
  };
}

const specDefaults = {
  restartPolicy: 'Never',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
  serviceAccountName: 'default',
  serviceAccount: 'default',
  securityContext: {},
  enableServiceLinks: true,
  priority: 0,
  preemptionPolicy: 'PreemptLowerPriority',
  nodeName: 'conformance',
  tolerations: [{ key: 'virtual-node.interlink/no-schedule', operator: 'Exists' }],
};

/** The body of a create, with `null` for what is empty, as interLink's Go writes it. */
export function createBody(leg: Leg, { pod, options }: TestPod): JsonObject {
  const { configMaps, secrets, projected, expandEnv } = options;
  const extension = expandEnv === undefined ? {} : { expandEnv };
  const whole = { ...pod, status: { phase: 'Pending' } };
  if (leg === 'api') {
    return {
      pod: whole,
      configmaps: configMaps ?? null,
      secrets: secrets ?? null,
      projectedvolumesmaps: projected ?? null,
      jobscriptURL: '',
      ...extension,
    };
  }
  return {
    pod: whole,
    container: containersOf(pod).map(({ name, volumeMounts }) => {
      const mounts = Array.isArray(volumeMounts) && volumeMounts.length > 0;
      return {
        name,
        configMaps: mounts ? (configMaps ?? null) : null,
        projectedvolumemaps: mounts ? (projected ?? null) : null,
        secrets: mounts ? (secrets ?? null) : null,
        emptyDirs: null,
      };
    }),
    jobConfig: zeroJobConfig,
    ...extension,
  };
}

function containersOf({ spec }: TestPod['pod']): JsonObject[] {
  const lists = [spec['initContainers'], spec['containers']];
  return lists.flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : []));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** What identifies a pod, and nothing else of it. */
export function podRef({ pod }: TestPod, graceSeconds?: number): JsonObject {
  const { name, namespace: inNamespace, uid } = pod.metadata;
  const grace = graceSeconds === undefined ? {} : { deletionGracePeriodSeconds: graceSeconds };
  return { metadata: { name, namespace: inNamespace, uid, ...grace } };
}
