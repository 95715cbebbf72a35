import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';
import { waitFor } from '@interlink/testbed';
import { httpsGet } from './support/https-get.ts';
import { Kubectl } from './support/kubectl.ts';
import { createPod, image, logs, podEnded, podRunning, startWorld, type World } from './support/world.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const MiB = 1024 * 1024;

let world: World;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlink-streams-'));
  world = await startWorld('streams');
  const echo = 'nc -ll -p 8080 -e cat & nc -ll -p 8081 -e sha256sum & sleep 3600';
  await createPod(world, { name: 'shell', script: echo });
  await createPod(world, { name: 'ticks', script: 'while sleep 0.2; do echo tick; done' });
  await Promise.all(['shell', 'ticks'].map((name) => podRunning(world, name)));
});
afterAll(async () => {
  await world.stop();
  await rm(dir, { recursive: true, force: true });
});

const protocols: [name: string, env: Record<string, string>][] = [
  ['WebSockets', {}],
  ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
];

describe.each(protocols)('kubectl over %s', (_name, env) => {
  const kubectl = () => new Kubectl(world, env);
  const sh = (script: string, ...flags: string[]) =>
    kubectl().run(['exec', ...flags, 'shell', '--', 'sh', '-c', script]);

  it('exec: both outputs and the exit code', async () => {
    const { code, stdout, stderr } = await sh('echo out; echo err >&2; exit 7');
    expect([code, String(stdout)]).toEqual([7, 'out\n']);
    expect(stderr).toBe('err\ncommand terminated with exit code 7\n');
    expect(await sh('true')).toMatchObject({ code: 0, stderr: '' });
    // What came last comes before the end.
    expect(sha256((await sh('seq 1 300000')).stdout)).toBe(
      sha256(Buffer.from(Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join(''))),
    );
  });

  it('exec -i: 8 MiB there and back', async () => {
    const input = randomBytes(8 * MiB);
    const { code, stdout, stderr } = await kubectl().run(['exec', '-i', 'shell', '--', 'cat'], { input });
    expect([code, stderr, sha256(stdout)]).toEqual([0, '', sha256(input)]);
  });

  it('exec -i of a command that reads only the beginning', async () => {
    const { code, stdout } = await kubectl().run(['exec', '-i', 'shell', '--', 'head', '-c', '3'], {
      input: Buffer.alloc(4 * MiB, 'abc'),
    });
    expect([code, String(stdout)]).toEqual([0, 'abc']);
  });

  it('exec: what cannot be run is said', async () => {
    const { code, stdout, stderr } = await kubectl().run(['exec', 'shell', '--', '/no/such/program']);
    expect(code).not.toBe(0);
    expect(`${String(stdout)}${stderr}`).toContain('/no/such/program');
    expect((await kubectl().run(['exec', 'shell', '-c', 'other', '--', 'true'])).stderr).toContain('other');
  });

  it('attach: what a running container says from now on, and leaves it running', async () => {
    const child = await kubectl().start(['attach', 'ticks']);
    let said = '';
    child.stdout.on('data', (piece) => (said += String(piece)));
    await waitFor('some ticks', () => Promise.resolve(said.split('tick\n').length > 3), { timeoutMs: 20_000 });
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(await logs(world, 'ticks', '--tail=1')).toBe('tick\n');
    await podRunning(world, 'ticks');
  });

  it('run -i: the input of a new pod', async () => {
    const name = `run-${Object.keys(env).length}`;
    const args = ['run', name, `--image=${image}`, '--restart=Never', '-i', '-q', '--', 'sh', '-c', 'cat; exit 3'];
    const { code, stdout } = await kubectl().run(args, { input: 'typed\n' });
    expect(String(stdout)).toContain('typed\n');
    expect(code).toBe(3);
    await podEnded(world, name);
  });

  it('cp: 64 MiB there and back', async () => {
    const [sent, received] = [join(dir, 'sent'), join(dir, 'received')];
    const file = randomBytes(64 * MiB);
    await writeFile(sent, file);
    expect(await kubectl().run(['cp', sent, 'shell:/tmp/file'])).toMatchObject({ code: 0 });
    expect(String((await sh('sha256sum < /tmp/file')).stdout)).toContain(sha256(file));
    expect(await kubectl().run(['cp', 'shell:/tmp/file', received])).toMatchObject({ code: 0 });
    expect(sha256(await readFile(received))).toBe(sha256(file));
  });

  it('port-forward: connections both ways, with half-close', async () => {
    const complaints = await kubectl().forwarding('pod/shell', 8080, async (port) => {
      const one = await dial(port);
      const two = await dial(port);
      one.write('first');
      expect(String((await once(one, 'data'))[0])).toBe('first');
      // Both at once: one stays open while the other has its whole life.
      two.end(Buffer.alloc(4 * MiB, 'x'));
      expect((await text(two)).length).toBe(4 * MiB);
      one.end('last');
      expect(await text(one)).toBe('last');
    });
    expect(complaints).toBe('');
    await kubectl().forwarding('pod/shell', 8081, async (port) => {
      const bytes = randomBytes(4 * MiB);
      const socket = await dial(port);
      socket.end(bytes);
      // Said only after the pod has seen the end of what it was sent.
      expect(await text(socket)).toContain(sha256(bytes));
    });
  });

  it('port-forward: nobody listens there', async () => {
    const complaints = await kubectl().forwarding('pod/shell', 9, async (port) => {
      const socket = await dial(port);
      await text(socket).catch(() => undefined);
      socket.destroy();
    });
    expect(complaints).toMatch(/error forwarding port 9 to pod shell, uid .*connection refused/);
  });
});

it('exec -t: a terminal of the size that the client says, also when that changes', async () => {
  const config = new KubeConfig();
  config.loadFromFile(world.cluster.kubeconfig);
  const terminal = Object.assign(new PassThrough(), { rows: 24, columns: 80 });
  let screen = '';
  terminal.on('data', (piece) => (screen += String(piece)));
  const keyboard = new PassThrough();
  const ended = Promise.withResolvers<V1Status>();
  const script = 'tty; while stty size; read x; do echo got $x; [ $x = q ] && exit 5; done';
  const command = ['sh', '-c', script];
  const says = (text: string) =>
    waitFor(`the screen to show ${text}`, () => Promise.resolve(screen.includes(text)), { timeoutMs: 20_000 });
  const started = await new Exec(config).exec(
    ...(['default', 'shell', 'main', command, terminal, null, keyboard, true, ended.resolve] as const),
  );
  await says('/dev/pts/');
  // A size is told after the start, so the first that is asked for may come too early.
  const showsSize = (size: string) =>
    waitFor(
      `the size ${size}`,
      () => {
        keyboard.write('a\n');
        return Promise.resolve(screen.includes(size));
      },
      { timeoutMs: 20_000, intervalMs: 200 },
    );
  await showsSize('24 80');
  Object.assign(terminal, { rows: 33, columns: 111 });
  terminal.emit('resize');
  await showsSize('33 111');
  keyboard.write('b\n');
  // A terminal's line ends.
  await says('got b\r\n');
  keyboard.write('q\n');
  expect(await ended.promise).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: expect.stringContaining('5'),
  });
  started.close();
});

it('the node says that WebSockets may be handed on', async () => {
  const { stdout } = await world.cluster.kubectl([
    ...['get', 'node', world.chain.nodeName, '-o', 'jsonpath={.status.declaredFeatures}'],
  ]);
  expect(stdout).toBe('["ExtendWebSocketsToKubelet"]');
});

describe('what the kubelet tells of its pods', () => {
  // Not through the API server's proxy, as `kubectl get --raw` would: it goes to no node on loopback.
  const raw = async (path: string) => {
    const { cluster, chain } = world;
    const query = 'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}';
    const port = Number((await cluster.kubectl(['get', 'node', chain.nodeName, '-o', query])).stdout);
    const ca = await readFile(cluster.clientCaFile, 'utf8');
    const answer = await httpsGet({ port, ca, path, token: cluster.adminToken });
    expect(answer).toMatchObject({ status: 200 });
    return answer.text;
  };

  it('/pods and /runningpods/', async () => {
    for (const path of ['/pods', '/runningpods/']) {
      const { items } = JSON.parse(await raw(path)) as { items: { metadata: { name: string } }[] };
      expect(items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['shell', 'ticks']));
    }
  });

  it('/stats/summary and /metrics/resource: what they use', async () => {
    const summary = JSON.parse(await raw('/stats/summary')) as {
      node: { nodeName: string };
      pods: { podRef: { name: string }; containers: { memory: { workingSetBytes: number } }[] }[];
    };
    expect(summary.node.nodeName).toBe(world.chain.nodeName);
    const shell = summary.pods.find(({ podRef }) => podRef.name === 'shell');
    expect(shell?.containers[0]?.memory.workingSetBytes).toBeGreaterThan(0);
    const metrics = await raw('/metrics/resource');
    expect(metrics).toMatch(
      /^container_cpu_usage_seconds_total\{container="main",pod="shell",namespace="default"\} [\d.e+-]+ \d{13}$/m,
    );
    expect(metrics).toMatch(/^node_cpu_usage_seconds_total [\d.e+-]+ \d{13}$/m);
    expect(metrics).toMatch(/^resource_scrape_error 0$/m);
    expect(await raw('/metrics/cadvisor')).toContain('container_memory_rss{');
    expect(await raw('/configz')).toContain('kubeletconfig');
  });
});

it('a stop of vk-node ends what is open with a word why', async () => {
  const children = await Promise.all(
    protocols.map(([, env]) =>
      new Kubectl(world, env).start(['exec', 'shell', '--', 'sh', '-c', 'echo started; sleep 60']),
    ),
  );
  const complaints = children.map((child) => text(child.stderr));
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  const ended = children.map((child) => once(child, 'close'));
  await world.chain.vkNode.stop();
  await Promise.all(ended);
  for (const complaint of await Promise.all(complaints)) {
    expect(complaint).toContain('the kubelet of this node is stopping');
  }
  await world.chain.vkNode.start();
  await waitFor(
    'exec to work again',
    async () => (await new Kubectl(world).run(['exec', 'shell', '--', 'true'])).code === 0,
    {
      timeoutMs: 30_000,
    },
  );
});

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setTimeout(30_000, () => socket.destroy(new Error('nothing happened for 30 s')));
  await once(socket, 'connect');
  return socket;
}
