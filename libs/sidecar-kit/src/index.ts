export type { Backend, Reporter } from './backend.ts';
export type { Job, JobPayload } from './job.ts';
export { jobKey } from './job.ts';
export { Sidecar, type SidecarOptions } from './sidecar.ts';
export { isTerminal, lastWord } from './terminal.ts';
