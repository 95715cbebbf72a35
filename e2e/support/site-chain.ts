import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContractClient } from '@interlink/contract';
import { ensureBusybox, ensureEngine, ensureSandboxImage, removeSite, Service, type Engine } from '@interlink/testbed';

/** An API and a sidecar without a cluster in front of them: the test itself is the caller. */
export interface SiteChain {
  readonly engine: Engine;
  readonly site: string;
  readonly sidecar: Service;
  readonly api: Service;
  readonly client: ContractClient;
  stop(): Promise<void>;
}

export async function startSiteChain(name: string): Promise<SiteChain> {
  const dir = await mkdtemp(join(tmpdir(), `interlink-${name}-`));
  const engine = await ensureEngine();
  await ensureBusybox(engine.docker);
  const sandboxImage = await ensureSandboxImage(engine.docker);
  const site = `${name}-${process.pid}`;
  const config = { site, engineSocket: engine.socketPath, spool: join(dir, 'spool'), sandboxImage };
  const sidecar = new Service({ app: 'docker-sidecar', dir, config: { ...config, podIPsRoutable: true } });
  const api = new Service({
    app: 'interlink-api',
    dir,
    config: { sidecar: { site, endpoint: sidecar.endpoint } },
  });
  const stop = async () => {
    await api.stop();
    await sidecar.stop();
    await removeSite(engine.docker, site);
    await engine.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await Promise.all([sidecar.start(), api.start()]);
    await sidecar.ready();
  } catch (error) {
    await stop();
    throw error;
  }
  const client = new ContractClient({ leg: 'api', peer: 'interlink-api', endpoint: api.endpoint });
  return { engine, site, sidecar, api, client, stop };
}
