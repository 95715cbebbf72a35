import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KubeClient } from '@interlink/kube';
import {
  buildAppImages,
  ensureBusybox,
  ensureEngine,
  imageFiles,
  runCommand,
  startControlPlane,
  waitFor,
  type AppImage,
  type ControlPlane,
  type Engine,
} from '@interlink/testbed';
import { composeDir, readCompose } from './support/compose.ts';
import {
  addresses,
  imageUser,
  startContainerChain,
  type ContainerChain,
  type ServiceName,
} from './support/container-chain.ts';
import { failures, proveConformance, skipped } from './support/conformance.ts';
import { evaluate, runImage, useTestcontainers } from './support/containers.ts';
import { deletePod, exitCode, logs, podEnded, podGone } from './support/world.ts';

/** Of all rows; a row has a deadline of its own. */
const conformanceMs = 400_000;
const services: readonly ServiceName[] = ['vk-node', 'interlink-api', 'docker-sidecar'];
/** Prints the resident memory of the service, in KiB. */
const rssScript = `console.log(/^VmRSS:\\s+(\\d+) kB$/m.exec(fs.readFileSync('/proc/1/status', 'utf8'))[1])`;
/** Asks the service at its address until it is ready, and prints when that was (ms since the epoch). */
const readyScript = `
  const address = process.argv[1];
  const { request } = require(address.startsWith('https:') ? 'node:https' : 'node:http');
  const options = address.startsWith('unix:') ? { socketPath: address.slice(7) } : { port: new URL(address).port };
  const again = () => setTimeout(ask, 10);
  const ask = () => request({ ...options, path: '/readyz', rejectUnauthorized: false }, (response) => {
    if (response.statusCode !== 200) return response.resume().once('end', again);
    console.log(Date.now());
    process.exit();
  }).once('error', again).end();
  ask();`;

let engine: Engine;
let images: Record<AppImage, string>;

beforeAll(async () => {
  engine = await ensureEngine();
  useTestcontainers(engine);
  await ensureBusybox(engine.docker);
  images = await buildAppImages(engine.docker);
});
afterAll(() => engine.stop());

describe.each(services)('the image of %s', (name) => {
  it('is the service: --version, --help, and exit code 2 for a configuration that is missing or wrong', async () => {
    const run = (...args: string[]) => runImage(engine.docker, images[name], args);
    const outcomes = await Promise.all([run('--version'), run('--help'), run(), run('--config', '/etc/passwd')]);
    expect(outcomes).toEqual([
      { code: 0, stdout: expect.stringMatching(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`)), stderr: '' },
      { code: 0, stdout: expect.stringContaining(`Usage: ${name} --config FILE`), stderr: '' },
      { code: 2, stdout: '', stderr: '/etc/interlink/config.yaml: cannot be read: no such file\n' },
      { code: 2, stdout: '', stderr: expect.stringContaining('/etc/passwd') },
    ]);
  });

  it('takes the example configuration of deploy/compose', async () => {
    const file = resolve(composeDir, 'config', `${name}.yaml`);
    const binds = [`${file}:/etc/interlink/config.yaml:ro`];
    expect(await runImage(engine.docker, images[name], ['--check'], { Binds: binds })).toEqual({
      code: 0,
      stdout: '/etc/interlink/config.yaml: ok\n',
      stderr: '',
    });
  });

  it('holds node, the service and nothing else that can be run', async () => {
    const files = await imageFiles(engine.docker, images[name]);
    const programs = files.filter(({ type, mode }) => type === 'file' && (mode & 0o111) !== 0).map(({ path }) => path);
    expect(programs.filter((path) => !/\.so(\.\d+)*$/.test(path))).toEqual(['usr/local/bin/node']);
    expect(files.filter(({ path }) => /node_modules|\/(ba|da)?sh$|\/np[mx]$|busybox/.test(path))).toEqual([]);
    const ofApp = files.filter(({ path, type }) => path.startsWith('app/') && type === 'file');
    expect(ofApp.map(({ path }) => path).sort()).toEqual(
      ['LICENSE', 'THIRD-PARTY-NOTICES.txt', 'health.mjs', 'main.mjs'].map((file) => `app/${file}`),
    );
    // What the service's user could change, besides what is mounted.
    const own = files.filter(({ uid }) => uid === imageUser).map(({ path }) => path);
    expect(own.sort()).toEqual(['run/interlink/', 'var/lib/interlink/']);
  });

  it('says what it is', async () => {
    const { Config: config } = await engine.docker.getImage(images[name]).inspect();
    expect(config.User).toBe(`${imageUser}:${imageUser}`);
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });
});

it('the image of the sandbox is one program', async () => {
  expect(await runImage(engine.docker, images.sandbox, ['version'])).toMatchObject({ code: 0, stdout: '2\n' });
  const files = (await imageFiles(engine.docker, images.sandbox)).filter(({ type }) => type === 'file');
  expect(files).toMatchObject([{ path: 'sandbox', mode: 0o755 }]);
});

it('compose.yaml names these images, and is valid where compose is there to say so', async () => {
  const compose = await readCompose({ DOCKER_GID: '1' });
  const named = Object.values(compose.services).map(({ image }) => image);
  expect(named).toEqual([images['docker-sidecar'], images['interlink-api']]);
  expect(Object.keys(compose.volumes)).toEqual(['sockets', 'spool']);
  if ((await runCommand(['docker', 'compose', 'version']).catch(() => ({ code: 1 }))).code !== 0) return;
  const env = { ...process.env, DOCKER_GID: '1' };
  expect(await runCommand(['docker', 'compose', 'config', '--quiet'], { cwd: composeDir, env })).toMatchObject({
    code: 0,
  });
});

describe('the whole chain in containers', () => {
  let dir: string;
  let cluster: ControlPlane;
  let chain: ContainerChain;
  /** Of the table in deploy/images/README.md. */
  const rows: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlink-images-'));
    cluster = await startControlPlane({ dir: join(dir, 'cluster'), name: 'images' });
    chain = await startContainerChain({ engine, cluster, images, nodeName: 'images-node' });
  });
  afterAll(async () => {
    await chain?.stop();
    await cluster?.stop();
    await rm(dir, { recursive: true, force: true });
    process.stderr.write(`${['image | size | ready after | idle RSS | stop', ...rows].join('\n')}\n`);
  });

  it('runs hello-world and gives its log', async () => {
    const manifest = await readFile(new URL('../deploy/examples/hello-world.yaml', import.meta.url), 'utf8');
    expect(await cluster.kubectl(['apply', '-f', '-'], { input: manifest })).toMatchObject({ code: 0 });
    const kube = KubeClient.load({ kubeconfig: cluster.kubeconfig });
    const pod = await podEnded({ kube }, 'hello-world');
    expect(pod.spec.nodeName).toBe(chain.nodeName);
    expect(exitCode(pod, 'hello')).toBe(0);
    expect(await logs({ cluster }, 'hello-world')).toBe('Hello from Interlink\n');
    await deletePod({ kube }, 'hello-world');
    await podGone({ kube }, 'hello-world', pod.metadata.uid);
  });

  it.each(services)('%s runs as an ordinary user that can change nothing but what is mounted for it', async (name) => {
    const script = `
      const status = fs.readFileSync('/proc/1/status', 'utf8');
      const field = (name) => status.match(new RegExp('^' + name + ':\\\\s+(.*)$', 'm'))[1].split(/\\s/)[0];
      const tryWrite = (path) => { try { fs.writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; } };
      const writes = ['/app/main.mjs', '/etc/x', '/run/x', '/tmp/x', '/run/interlink/x'].map(tryWrite);
      fs.rmSync('/run/interlink/x');
      console.log(JSON.stringify({ uid: field('Uid'), capabilities: field('CapEff'), noNewPrivileges: field('NoNewPrivs'), writes }));`;
    expect(JSON.parse(await evaluate(chain.containers[name], script))).toEqual({
      uid: String(imageUser),
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
      writes: ['EROFS', 'EROFS', 'EROFS', 'written', 'written'],
    });
  });

  it.each(services)('%s turns healthy by the health check of its image', async (name) => {
    const container = engine.docker.getContainer(chain.containers[name].getId());
    const health = async () => (await container.inspect()).State.Health;
    const healthy = await waitFor(
      `${name} to be healthy`,
      async () => {
        const now = await health();
        return now?.Status === 'healthy' && now;
      },
      { timeoutMs: 45_000, intervalMs: 200 },
    );
    expect(healthy.FailingStreak).toBe(0);
    expect(await chain.containers[name].exec(['node', '/app/health.mjs', '/readyz'])).toMatchObject({
      exitCode: 0,
      output: 'ok\n',
    });
    expect(await chain.containers[name].exec(['node', '/app/health.mjs', '/nowhere'])).toMatchObject({ exitCode: 1 });
  });

  it.each(services)('%s ends in order within 5 s of SIGTERM, and is ready again when started', async (name) => {
    const container = engine.docker.getContainer(chain.containers[name].getId());
    const rssKiB = Number(await evaluate(chain.containers[name], rssScript));
    const stopping = performance.now();
    await container.stop({ t: 20 });
    const stopMs = performance.now() - stopping;
    expect((await container.inspect()).State.ExitCode).toBe(0);
    expect(stopMs).toBeLessThan(5_000);

    await container.start();
    const readyAt = Number(await evaluate(chain.containers[name], readyScript, addresses[name]));
    const { State: state } = await container.inspect();
    const startMs = readyAt - Date.parse(state.StartedAt);
    const { Size: bytes } = await engine.docker.getImage(images[name]).inspect();
    rows.push(
      [name, `${(bytes / 1e6).toFixed(0)} MB`, `${(startMs / 1000).toFixed(1)} s`]
        .concat(`${(rssKiB / 1024).toFixed(0)} MiB`, `${(stopMs / 1000).toFixed(1)} s`)
        .join(' | '),
    );
  });

  it(
    'docker-sidecar keeps the contract from its image too',
    async () => {
      const result = await proveConformance('docker-sidecar-image', { endpoint: `unix://${chain.sidecarSocket}` });
      expect(failures(result)).toEqual([]);
      expect(skipped(result)).toEqual(['ping.empty-list', 'ping.update-cache', 'service.credentials']);
      expect(result).toMatchObject({ profile: 'full', leftovers: [] });
    },
    conformanceMs,
  );
});
