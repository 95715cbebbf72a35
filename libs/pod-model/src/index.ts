export {
  addQuantity,
  compareQuantity,
  divideQuantity,
  formatQuantity,
  parseQuantity,
  subtractQuantity,
  toInteger,
  toMilli,
  zeroQuantity,
  type Quantity,
  type QuantityFormat,
} from './quantity.ts';
export { podLevelResources, podLimits, podRequests, type Resources } from './resources.ts';
export { qosClass, type QosClass } from './qos-class.ts';
export {
  listReferences,
  type ObjectReference,
  type PodReferences,
  type ReferencePurpose,
  type TokenRequest,
} from './references.ts';
export { MissingReference, type ReferenceKind } from './missing-reference.ts';
export {
  fieldValue,
  isStartFieldPath,
  resourceFieldValue,
  startFieldValue,
  type PodAddresses,
  type ResourceFieldRef,
} from './downward.ts';
export { serviceEnv, type ServiceAddress } from './service-env.ts';
export { resolveContainerEnv, resolveEnv, type EnvSources } from './resolve-env.ts';
export { expandEnv, expandPod, expandSubPath, expandText, type EnvEntry } from './expand.ts';
export { hasVolumeFiles, volumeFiles, type VolumeFile, type VolumeSources } from './volume-files.ts';
export { volumePath } from './volume-path.ts';
export { projectVolume, type ProjectionSources } from './project.ts';
export { isNativeSidecar, mayRunAgain } from './container-roles.ts';
export { isTerminalPhase, phaseOf, type ContainerStatuses } from './pod-phase.ts';
export { podConditions } from './pod-conditions.ts';
export { toKubeStatus, type OwnPodStatus } from './kube-status.ts';
export { statusPatch } from './status-patch.ts';
export { usableAddresses } from './pod-addresses.ts';
