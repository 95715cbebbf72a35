export { errorCatalogue, InterlinkError, isCode, type ErrorBody, type ErrorCode } from './errors.ts';
export {
  configMapSchema,
  containerSchema,
  containerStateSchema,
  containerStatusSchema,
  kubePodStatusSchema,
  objectMetaSchema,
  podConditionSchema,
  podRefSchema,
  podSchema,
  projectionSchema,
  secretSchema,
  volumeSchema,
  type ConfigMap,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type EnvVar,
  type KubePodStatus,
  type ObjectMeta,
  type Pod,
  type PodCondition,
  type PodRef,
  type Projection,
  type Secret,
  type Toleration,
  type Volume,
} from './pod.ts';
export {
  createReplySchema,
  createRequestSchema,
  logRequestSchema,
  logsSince,
  logsTail,
  pingReplySchema,
  podPhaseSchema,
  podStatusSchema,
  retrievedPodSchema,
  sidecarCreateSchema,
  taintSchema,
  type CreateReply,
  type CreateRequest,
  type LogRequest,
  type PingReply,
  type PodPhase,
  type PodStatus,
  type RetrievedPod,
} from './core.ts';
export { zeroJobConfig } from './job-config.ts';
export {
  bookmarkSeconds,
  capabilitiesSchema,
  eventSchema,
  eventsSilenceSeconds,
  updateRequestSchema,
  type Capabilities,
  type SiteEvent,
  type UpdateRequest,
} from './extensions.ts';
export { classicOwner, ownerHeader, parseOwner, sessionHeader, sessionOf } from './headers.ts';
export { routes, servicePaths, type Leg, type Route, type RouteName } from './routes.ts';
export { openApiDocument } from './openapi.ts';
export type { CommandOutcome, CommandStreams, TerminalSize } from './streams/command-streams.ts';
export { Outlets } from './streams/outlets.ts';
export { type SiteStats } from './streams/site-stats.ts';
export type { AttachRequest, ExecRequest, PortForwardRequest, StreamRoute } from './streams/stream-requests.ts';
export { answerUpgrades, isStreamUpgrade, type UpgradedSocket } from './streams/upgrade.ts';
export type { StreamHandlers, StreamRelay } from './streams/bind-streams.ts';
export type { ClientCall, ClientOptions } from './client-transport.ts';
export { ContractClient } from './client.ts';
export { bindApi, bindSidecar, type BindOptions, type CallContext, type ContractHandlers } from './express.ts';
