export { backoffDelay, type BackoffLimits } from './backoff.ts';
export {
  type DeleteCall,
  KubeClient,
  type KubeClientOptions,
  type KubeRequest,
  type PatchCall,
  type WatchCall,
  type WriteCall,
} from './client.ts';
export { type Clock, sleep, systemClock } from './clock.ts';
export type { Access } from './credentials.ts';
export {
  isAborted,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  isUnauthorized,
  isUnreachable,
  KubeconfigError,
  KubeError,
  type KubeErrorDetails,
  type LocalReason,
} from './errors.ts';
export type { InvolvedObject } from './event-object.ts';
export { EventRecorder, type EventRecorderOptions } from './event-recorder.ts';
export { type LeaderHandlers, LeaderLease, type LeaderLeaseOptions } from './leader-lease.ts';
export { NodeLease, type NodeLeaseOptions } from './node-lease.ts';
export { keyOf, type KubeObject, type StoreView } from './object-store.ts';
export type { ReflectorHandlers } from './reflected-objects.ts';
export { Reflector, type ReflectorOptions } from './reflector.ts';
export type { Query, RequestObserver } from './transport.ts';
export type { WatchEvent } from './watch-lines.ts';
export { WorkQueue, type WorkQueueOptions } from './work-queue.ts';
