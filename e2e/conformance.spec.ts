import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ensureBusybox,
  ensureEngine,
  ensureSandboxImage,
  freePorts,
  removeSite,
  Service,
  waitFor,
  type Engine,
} from '@interlink/testbed';
import { ClassicPlugin } from './support/classic-plugin.ts';
import { failures, proveConformance, skipped } from './support/conformance.ts';

/** Of all rows of one target; a row has a deadline of its own. */
const suiteMs = 400_000;
const site = `conformance-${process.pid}`;

let dir: string;
let engine: Engine;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlink-conformance-'));
  engine = await ensureEngine();
  await ensureBusybox(engine.docker);
});
afterAll(async () => {
  await removeSite(engine.docker, site);
  await engine.stop();
  await rm(dir, { recursive: true, force: true });
});

/** An API in front of one sidecar, on a TCP port that wants a key. */
async function startApi(name: string, sidecarEndpoint: string) {
  const [port] = await freePorts(1);
  const [address, key] = [`http://127.0.0.1:${port}`, randomBytes(16).toString('hex')];
  const keyFile = join(dir, `${name}.key`);
  await writeFile(keyFile, key, { mode: 0o600 });
  const api = new Service({
    ...{ app: 'interlink-api', name, dir, config: { sidecar: { site, endpoint: sidecarEndpoint } } },
    listen: [{ address, keys: [{ name: 'conformance', keyFile, owners: ['*'] }] }],
  });
  await api.start();
  // Its socket, which the start waits for, is opened first.
  const listens = async (signal: AbortSignal) => (await fetch(`${address}/healthz`, { signal })).ok;
  await waitFor(`${name} to listen on its port`, listens, { timeoutMs: 10_000 });
  return { api, target: { endpoint: address, key, leg: 'api' } as const };
}

async function nothingLeft(): Promise<void> {
  const filters = { label: [`interlink.eu/site=${site}`] };
  const left = async () => [
    ...(await engine.docker.listContainers({ all: true, filters })),
    ...(await engine.docker.listVolumes({ filters })).Volumes,
  ];
  await waitFor('nothing to be left on the engine', async () => (await left()).length === 0, { timeoutMs: 60_000 });
}

describe('docker-sidecar', () => {
  let sidecar: Service;
  beforeAll(async () => {
    const sandboxImage = await ensureSandboxImage(engine.docker);
    const config = { site, engineSocket: engine.socketPath, spool: join(dir, 'spool'), sandboxImage };
    sidecar = new Service({ app: 'docker-sidecar', dir, config: { ...config, podIPsRoutable: true } });
    await sidecar.start();
    await sidecar.ready();
  });
  afterAll(() => sidecar.stop());

  it(
    'keeps the contract as a process, and the suite leaves nothing behind',
    async () => {
      const result = await proveConformance('docker-sidecar-process', { endpoint: sidecar.endpoint });
      expect(failures(result)).toEqual([]);
      // A unix socket asks for no credentials; the two others are rows of an API.
      expect(skipped(result)).toEqual(['ping.empty-list', 'ping.update-cache', 'service.credentials']);
      expect(result).toMatchObject({ profile: 'full', leftovers: [] });
      await nothingLeft();
    },
    suiteMs,
  );

  it(
    'keeps it through interlink-api too',
    async () => {
      const { api, target } = await startApi('api', sidecar.endpoint);
      try {
        const result = await proveConformance('docker-sidecar-api', target);
        expect(failures(result)).toEqual([]);
        expect(skipped(result)).toEqual(['create.array']);
        expect(result).toMatchObject({ profile: 'full', leftovers: [] });
        await nothingLeft();
      } finally {
        await api.stop();
      }
    },
    suiteMs,
  );
});

it('a classic plugin keeps what interLink asks of it, also behind our API', async () => {
  const socketPath = join(dir, 'plugin.sock');
  const plugin = await ClassicPlugin.start(socketPath);
  const { api, target } = await startApi('classic-api', `unix://${socketPath}`);
  try {
    for (const [name, options] of [
      ['classic-process', { endpoint: `unix://${socketPath}` }],
      ['classic-api', target],
    ] as const) {
      const result = await proveConformance(name, options);
      expect([...failures(result), ...skipped(result)]).toEqual([]);
      expect(result).toMatchObject({ profile: 'classic', leftovers: [] });
    }
    expect(plugin.jobs.size).toBe(0);
  } finally {
    await api.stop();
    await plugin.stop();
  }
});
