import { Readable } from 'node:stream';
import { ensureSandboxImage, waitFor } from '@interlink/testbed';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { createPod, deletePod, getPod, image, startWorld, type World } from '../support/world.ts';

const count = 50;
const atOnce = 10;
const rounds = 3;

/** Runs `work` for 0 to count-1, a bounded number at a time. @returns seconds */
async function timed(work: (index: number) => Promise<void>): Promise<number> {
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const start = performance.now();
  const worker = async () => {
    for (const index of queue) await work(index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (performance.now() - start) / 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;

function archive(): Readable {
  const tar = pack();
  tar.entry({ name: 'token/', type: 'directory' });
  for (const name of ['token', 'ca.crt', 'namespace']) tar.entry({ name: `token/${name}` }, 'x'.repeat(1000));
  tar.finalize();
  return Readable.from(tar);
}

/** What docker-sidecar asks of the engine for such a pod, one after the other, by whoever has nothing else to do. */
async function directly(docker: Docker, sandboxImage: string, name: string): Promise<void> {
  const volume = await docker.createVolume({ Name: name });
  const sandbox = await docker.createContainer({
    name: `${name}-sandbox`,
    Image: sandboxImage,
    HostConfig: { Binds: [`${name}:/volumes/token`], IpcMode: 'shareable' },
  });
  await sandbox.inspect();
  await sandbox.putArchive(archive(), { path: '/volumes' });
  await sandbox.start();
  await sandbox.inspect();
  const shared = `container:${sandbox.id}`;
  const main = await docker.createContainer({
    name: `${name}-main`,
    Image: image,
    Cmd: ['true'],
    HostConfig: { NetworkMode: shared, IpcMode: shared, Binds: [`${name}:/var/run/secrets/token:ro`] },
  });
  await main.inspect();
  await main.start();
  await main.wait();
  await main.inspect();
  await sandbox.stop({ t: 1 });
  await main.remove({ force: true });
  await sandbox.remove({ force: true });
  await volume.remove();
}

describe('the whole chain against the bare engine calls', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('ratio');
  });
  afterAll(() => world.stop());

  async function throughChain(name: string): Promise<void> {
    await createPod(world, { name, script: 'true' });
    await waitFor(`${name} to succeed`, async () => (await getPod(world, name))?.status?.phase === 'Succeeded', {
      timeoutMs: 120_000,
    });
    await deletePod(world, name);
    await waitFor(`${name} to be gone`, async () => (await getPod(world, name)) === undefined, { timeoutMs: 60_000 });
  }

  it(`takes at most 1.5 times as long for ${count} pods of true, ${atOnce} at a time`, async () => {
    const { docker } = world.engine;
    const sandboxImage = await ensureSandboxImage(docker);
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = await world.chain.sidecar.requestsMade();
      const chain = await timed((index) => throughChain(`chain-${round}-${index}`));
      const after = await world.chain.sidecar.requestsMade();
      const direct = await timed((index) =>
        directly(docker, sandboxImage, `${world.chain.site}-direct-${round}-${index}`),
      );
      const calls = [...after].map(
        ([call, made]) => `${call} ${((made - (before.get(call) ?? 0)) / count).toFixed(1)}`,
      );
      console.info(
        `chain ${chain.toFixed(1)} s, engine alone ${direct.toFixed(1)} s; calls of a pod: ${calls.join(', ')}`,
      );
      ratios.push(chain / direct);
    }
    console.info(`ratios ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}, median ${median(ratios).toFixed(2)}`);
    expect(median(ratios)).toBeLessThanOrEqual(1.5);
  }, 600_000);
});
