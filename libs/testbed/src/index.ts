export { cacheDir } from './cache.ts';
export { type CommandOptions, type CommandResult, runCommand, runOrFail } from './command.ts';
export type { CertificateFiles } from './control-plane/certificate-authority.ts';
export { type Cluster, type KubectlOptions, useCluster } from './control-plane/cluster.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane/control-plane.ts';
export { ensureKubeAll } from './control-plane/kube-all.ts';
export { type AppImage, buildAppImages } from './docker/app-images.ts';
export { ensureBusybox, type MadeImage } from './docker/busybox-image.ts';
export { ensureEngine, type Engine, type EngineOptions } from './docker/engine.ts';
export { createFilledVolume, type VolumeFile } from './docker/filled-volume.ts';
export { type ImageFile, imageFiles } from './docker/image-files.ts';
export { type Registry, startRegistry } from './docker/registry.ts';
export { ensureSandboxImage } from './docker/sandbox-image.ts';
export { ownAddress } from './own-address.ts';
export { freePorts } from './ports.ts';
export { type ExitStatus, type ManagedProcess, type ProcessOptions, startProcess } from './process.ts';
export { step } from './progress.ts';
export { TestbedError } from './testbed-error.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';
export {
  type Chain,
  type ChainOfOptions,
  type ChainOptions,
  startChain,
  startChainOf,
  startVkNode,
  type VkNodeOptions,
} from './chain.ts';
export { Service, type ServiceOptions } from './service.ts';
export { removeSite } from './site-leftovers.ts';
export { ensureSchemathesis } from './schemathesis.ts';
export { startMetricsServer } from './control-plane/metrics-server.ts';
