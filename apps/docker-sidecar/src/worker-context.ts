import type { PodStatus } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { Job } from '@interlink/sidecar-kit';
import type { LimitFunction } from 'p-limit';
import type { Config } from './config.ts';
import type { Devices } from './devices/devices.ts';
import type { EngineCalls } from './engine.ts';
import { Images } from './images.ts';
import type { WorkerContext } from './pod-worker.ts';
import type { Grants } from './registry/pull-records.ts';
import { SharedPaths } from './volumes/shared-paths.ts';
import type { VolumeRules } from './volumes/volume-rules.ts';

export interface DockerBackendOptions {
  readonly engine: EngineCalls;
  readonly site: string;
  readonly sandboxImage: string;
  readonly podIPsRoutable: boolean;
  readonly hostIP: string | undefined;
  /** What the engine cannot tell, or should not offer whole. */
  readonly capacity: { readonly cpu?: string | undefined; readonly memory?: string | undefined; readonly pods: string };
  /** What pods may have of the host's. */
  readonly allow: Config['allow'];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  readonly devices: Config['devices'];
  readonly volumes: VolumeRules;
  readonly records: Grants;
  readonly log: Logger;
}

/** What all workers of a site share. */
export interface Shared {
  readonly devices: Devices;
  readonly limit: LimitFunction;
  /** Jobs that have a container running now. */
  readonly running: () => Iterable<Job>;
  readonly report: (job: Job, status: PodStatus) => void;
}

export function workerContext(options: DockerBackendOptions, shared: Shared): WorkerContext {
  return {
    ...options,
    settings: {
      site: options.site,
      sandboxImage: options.sandboxImage,
      clusterDns: { servers: options.clusterDNS, domain: options.clusterDomain },
      deviceConfig: options.devices,
      volumes: options.volumes,
    },
    volumes: {
      ...options,
      rules: options.volumes,
      shared: new SharedPaths(shared.running, options.volumes),
      now: Date.now,
    },
    devices: shared.devices,
    images: new Images(options.engine, options.records, options.log),
    limit: shared.limit,
    report: shared.report,
    now: Date.now,
  };
}
