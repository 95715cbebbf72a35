import { z } from 'zod';

/**
 * Pod-shaped data. Only what Interlink itself reads is described; every other field passes through untouched
 * (`looseObject`), because the peer may know a newer Kubernetes than we do. Go writes absent values as `null`, hence
 * `nullish` throughout. Nothing here validates a Pod: the kube-apiserver has done that already.
 */
const text = z.string().nullish();
const int = z.number().nullish();
const bool = z.boolean().nullish();
const stringMap = z.record(z.string(), z.string()).nullish();
const quantities = z.record(z.string(), z.union([z.string(), z.number()])).nullish();

export const objectMetaSchema = z.looseObject({
  name: z.string().max(253),
  namespace: z.string().max(63).default('default'),
  uid: z.string().max(128).default(''),
  labels: stringMap,
  annotations: stringMap,
  resourceVersion: text,
  creationTimestamp: text,
  deletionTimestamp: text,
  deletionGracePeriodSeconds: int,
});

const keySelector = z.looseObject({ name: z.string().default(''), key: z.string(), optional: bool });

const envVarSchema = z.looseObject({
  name: z.string(),
  value: text,
  valueFrom: z
    .looseObject({
      fieldRef: z.looseObject({ fieldPath: z.string() }).nullish(),
      resourceFieldRef: z
        .looseObject({
          containerName: text,
          resource: z.string(),
          divisor: z.union([z.string(), z.number()]).nullish(),
        })
        .nullish(),
      configMapKeyRef: keySelector.nullish(),
      secretKeyRef: keySelector.nullish(),
    })
    .nullish(),
});

const envFromSchema = z.looseObject({
  prefix: text,
  configMapRef: z.looseObject({ name: z.string().default(''), optional: bool }).nullish(),
  secretRef: z.looseObject({ name: z.string().default(''), optional: bool }).nullish(),
});

const resourcesSchema = z.looseObject({ limits: quantities, requests: quantities });

export const containerSchema = z.looseObject({
  name: z.string(),
  image: text,
  imagePullPolicy: text,
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  workingDir: text,
  env: z.array(envVarSchema).nullish(),
  envFrom: z.array(envFromSchema).nullish(),
  resources: resourcesSchema.nullish(),
  restartPolicy: text,
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: bool, subPath: text, subPathExpr: text }))
    .nullish(),
});

const keyToPath = z.looseObject({ key: z.string(), path: z.string(), mode: int });
const downwardItem = z.looseObject({
  path: z.string(),
  mode: int,
  fieldRef: z.looseObject({ fieldPath: z.string() }).nullish(),
  resourceFieldRef: z
    .looseObject({ containerName: text, resource: z.string(), divisor: z.union([z.string(), z.number()]).nullish() })
    .nullish(),
});
const optionalItems = { optional: bool, items: z.array(keyToPath).nullish() };

export const projectionSchema = z.looseObject({
  configMap: z.looseObject({ name: z.string().default(''), ...optionalItems }).nullish(),
  secret: z.looseObject({ name: z.string().default(''), ...optionalItems }).nullish(),
  downwardAPI: z.looseObject({ items: z.array(downwardItem).nullish() }).nullish(),
  serviceAccountToken: z.looseObject({ path: z.string(), audience: text, expirationSeconds: int }).nullish(),
});

export const volumeSchema = z.looseObject({
  name: z.string(),
  emptyDir: z.looseObject({ medium: text, sizeLimit: z.union([z.string(), z.number()]).nullish() }).nullish(),
  configMap: z.looseObject({ name: z.string().default(''), defaultMode: int, ...optionalItems }).nullish(),
  secret: z.looseObject({ secretName: z.string().default(''), defaultMode: int, ...optionalItems }).nullish(),
  downwardAPI: z.looseObject({ defaultMode: int, items: z.array(downwardItem).nullish() }).nullish(),
  projected: z.looseObject({ defaultMode: int, sources: z.array(projectionSchema).nullish() }).nullish(),
});

const tolerationSchema = z.looseObject({ key: text, operator: text, effect: text, tolerationSeconds: int });

export const containerStateSchema = z.looseObject({
  waiting: z.looseObject({ reason: text, message: text }).nullish(),
  running: z.looseObject({ startedAt: text }).nullish(),
  terminated: z
    .looseObject({
      exitCode: z.number().default(0),
      signal: int,
      reason: text,
      message: text,
      startedAt: text,
      finishedAt: text,
      containerID: text,
    })
    .nullish(),
});

export const containerStatusSchema = z.looseObject({
  name: z.string(),
  state: containerStateSchema.nullish(),
  lastState: containerStateSchema.nullish(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  image: z.string().default(''),
  imageID: z.string().default(''),
  containerID: text,
  started: bool,
});

export const podConditionSchema = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: text,
  message: text,
  lastTransitionTime: text,
});

/** The status part of a Pod object, as vk-node reads and writes it. */
export const kubePodStatusSchema = z.looseObject({
  phase: text,
  reason: text,
  message: text,
  startTime: text,
  podIP: text,
  hostIP: text,
  conditions: z.array(podConditionSchema).nullish(),
  containerStatuses: z.array(containerStatusSchema).nullish(),
  initContainerStatuses: z.array(containerStatusSchema).nullish(),
  ephemeralContainerStatuses: z.array(containerStatusSchema).nullish(),
});

/** A Pod with its spec. Bare pods that only identify (delete, status) use {@link podRefSchema}. */
export const podSchema = z.looseObject({
  metadata: objectMetaSchema,
  spec: z.looseObject({
    nodeName: text,
    containers: z.array(containerSchema).min(1),
    initContainers: z.array(containerSchema).nullish(),
    ephemeralContainers: z.array(containerSchema).nullish(),
    volumes: z.array(volumeSchema).nullish(),
    restartPolicy: text,
    serviceAccountName: text,
    imagePullSecrets: z.array(z.looseObject({ name: z.string().default('') })).nullish(),
    terminationGracePeriodSeconds: int,
    tolerations: z.array(tolerationSchema).nullish(),
    readinessGates: z.array(z.looseObject({ conditionType: z.string() })).nullish(),
    enableServiceLinks: bool,
  }),
  status: kubePodStatusSchema.nullish(),
});

/** Only what identifies a pod is needed; interLink sends whole pods, ours send these fields alone. */
export const podRefSchema = z.looseObject({ metadata: objectMetaSchema });

export const configMapSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: text, resourceVersion: text }),
  data: z.record(z.string(), z.string()).nullish(),
  /** base64 */
  binaryData: z.record(z.string(), z.string()).nullish(),
  immutable: bool,
});

export const secretSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: text, resourceVersion: text }),
  type: text,
  /** base64 */
  data: z.record(z.string(), z.string()).nullish(),
  immutable: bool,
});

export type ObjectMeta = z.infer<typeof objectMetaSchema>;
export type Pod = z.infer<typeof podSchema>;
export type PodRef = z.infer<typeof podRefSchema>;
export type Container = z.infer<typeof containerSchema>;
export type EnvVar = z.infer<typeof envVarSchema>;
export type Volume = z.infer<typeof volumeSchema>;
export type Projection = z.infer<typeof projectionSchema>;
export type Toleration = z.infer<typeof tolerationSchema>;
export type ConfigMap = z.infer<typeof configMapSchema>;
export type Secret = z.infer<typeof secretSchema>;
export type ContainerState = z.infer<typeof containerStateSchema>;
export type ContainerStatus = z.infer<typeof containerStatusSchema>;
export type PodCondition = z.infer<typeof podConditionSchema>;
export type KubePodStatus = z.infer<typeof kubePodStatusSchema>;
