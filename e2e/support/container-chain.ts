import { statSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  createFilledVolume,
  removeSite,
  waitFor,
  type AppImage,
  type ControlPlane,
  type Engine,
} from '@interlink/testbed';
import type { StartedTestContainer } from 'testcontainers';
import { readCompose, type ComposeService } from './compose.ts';
import { makeSiteSecrets, vkNodeFiles, withSite } from './container-configs.ts';
import { ServiceContainer } from './containers.ts';
import { image as busybox } from './world.ts';

export type ServiceName = Exclude<AppImage, 'sandbox'>;

/** The user of the images. */
export const imageUser = 65532;

export interface ContainerChain {
  readonly nodeName: string;
  readonly site: string;
  readonly containers: Record<ServiceName, StartedTestContainer>;
  /** The sidecar's socket, as this machine sees it. */
  readonly sidecarSocket: string;
  /** Removes containers and volumes, those of pods too. */
  stop(): Promise<void>;
}

export interface ContainerChainOptions {
  readonly engine: Engine;
  readonly cluster: ControlPlane;
  readonly images: Record<AppImage, string>;
  readonly nodeName: string;
}

/** Where the services listen, seen from inside their containers. */
export const addresses: Record<ServiceName, string> = {
  'vk-node': 'unix:///run/interlink/vk-node.sock',
  'interlink-api': 'https://127.0.0.1:8443',
  'docker-sidecar': 'unix:///run/interlink/docker-sidecar.sock',
};

/**
 * The three services as containers: the site's two as deploy/compose/compose.yaml has them, with its configs and with
 * secrets made as its README says; vk-node on the host's network, joined to them by https.
 */
export async function startContainerChain(options: ContainerChainOptions): Promise<ContainerChain> {
  const { engine, cluster, images, nodeName } = options;
  const { docker } = engine;
  const site = `images-${process.pid}`;
  const dir = await mkdtemp(join(tmpdir(), 'interlink-compose-'));
  const volume = (name: string) => `interlink-${site}-${name}`;
  const started: StartedTestContainer[] = [];
  const start = async (container: ServiceContainer) => {
    const running = await container.start();
    started.push(running);
    return running;
  };
  const stop = async () => {
    const removals = started.map((container) => docker.getContainer(container.getId()).remove({ force: true }));
    await Promise.all(removals);
    await removeSite(docker, site);
    const { Volumes: volumes } = await docker.listVolumes({ filters: { name: [volume('')] } });
    await Promise.all(volumes.map(({ Name }) => docker.getVolume(Name).remove()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const fill = (name: string, files: Parameters<typeof createFilledVolume>[1]['files']) =>
      createFilledVolume(docker, { name: volume(name), image: busybox, owner: imageUser, files });
    const secrets = await makeSiteSecrets(dir);
    await fill(
      'secrets',
      Object.entries(secrets).map(([path, content]) => ({ path, content })),
    );
    const bind = async (mount: string): Promise<string> => {
      const [source = '', ...rest] = mount.split(':');
      return [await sourceOf(source, { site, dir, volume }), ...rest].join(':');
    };
    const { services } = await readCompose({
      DOCKER_GID: String(statSync(engine.socketPath).gid),
      DOCKER_SOCKET: engine.socketPath,
    });
    const compose = async (service: ComposeService) =>
      start(
        new ServiceContainer(service.image, {
          ...settings(service),
          binds: await Promise.all(service.volumes.map(bind)),
        }),
      );
    const [sidecar, api] = await Promise.all([compose(services['docker-sidecar']), compose(services['interlink-api'])]);

    const apiEndpoint = `https://127.0.0.1:${api.getMappedPort(8443)}`;
    const listen = addresses['vk-node'];
    await fill('vk-node', await vkNodeFiles({ cluster, nodeName, apiEndpoint, secrets, listen }));
    const vkNode = await start(
      new ServiceContainer(images['vk-node'], {
        binds: [`${volume('vk-node')}:/etc/interlink:ro`],
        tmpfs: { '/tmp': 'mode=1777', '/run/interlink': `uid=${imageUser},gid=${imageUser},mode=0700` },
        networkMode: 'host',
      }),
    );
    await nodeUp(cluster, nodeName);
    const { Mountpoint: sockets } = await docker.getVolume(volume('sockets')).inspect();
    // By a short name: a socket's path has at most 107 characters.
    await symlink(sockets, join(dir, 'sockets'));
    return {
      nodeName,
      site,
      containers: { 'vk-node': vkNode, 'interlink-api': api, 'docker-sidecar': sidecar },
      sidecarSocket: join(dir, 'sockets', basename(addresses['docker-sidecar'])),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The engine's words for what a service of compose.yaml asks for. */
function settings(service: ComposeService) {
  return {
    tmpfs: Object.fromEntries(service.tmpfs.map((mount) => mount.split(':'))) as Record<string, string>,
    groups: service.group_add,
    security: { ReadonlyRootfs: service.read_only, CapDrop: service.cap_drop, SecurityOpt: service.security_opt },
    // The engine chooses the outer port, so that two runs do not meet.
    ports: service.ports.map((port) => Number(port.split(':').at(-1))),
  };
}

/** What a mount of compose.yaml takes its files from in a test. */
async function sourceOf(
  source: string,
  { site, dir, volume }: { site: string; dir: string; volume: (name: string) => string },
): Promise<string> {
  if (source === './secrets') return volume('secrets');
  if (source.startsWith('./config/')) return withSite(source, site, dir);
  return source.startsWith('/') ? source : volume(source);
}

async function nodeUp({ kubectl }: ControlPlane, nodeName: string): Promise<void> {
  const query =
    'jsonpath={.status.conditions[?(@.type=="InterlinkConnectivity")].status} {.status.capacity.cpu} {.spec.taints[*].key}';
  await waitFor(
    `node ${nodeName} to be there, with its site`,
    async () => {
      const { stdout } = await kubectl(['get', 'node', nodeName, '-o', query]);
      const [connected, cpu, ...taints] = stdout.trim().split(/\s+/);
      return connected === 'True' && cpu !== '0' && !taints.includes('node.kubernetes.io/not-ready');
    },
    { timeoutMs: 30_000, intervalMs: 200 },
  );
}
