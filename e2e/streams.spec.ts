import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandStreams, ContractClient, ExecRequest } from '@interlink/contract';
import { waitFor } from '@interlink/testbed';
import { startSiteChain, type SiteChain } from './support/site-chain.ts';
import { image } from './support/world.ts';

const call = { owner: 'streams/spec' };
const stranger = { owner: 'streams/stranger' };
const pod = { podUID: 'streams-pod', namespace: 'ns', podName: 'p' };
const mebibyte = 1024 * 1024;

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** exec, attach, port-forward and stats through the API and the sidecar, against real containers. */
describe('streams', () => {
  let world: SiteChain;
  let client: ContractClient;
  let main: string;
  beforeAll(async () => {
    world = await startSiteChain('streams');
    ({ client } = world);
    await createPod(pod.podUID, [
      container('main', 'while :; do nc -l -p 8081 -e cat; done & exec sleep 3600'),
      container('talks', 'echo before; read line; echo "heard $line"; echo loud >&2; exec cat', { stdin: true }),
      container('over', 'exit 0'),
    ]);
    main = await containerId('main');
  });
  afterAll(() => world.stop());

  const container = (name: string, script: string, more: object = {}) => ({
    name,
    image,
    command: ['sh', '-c', script],
    ...more,
  });

  async function createPod(uid: string, containers: ReturnType<typeof container>[]): Promise<void> {
    const metadata = { name: pod.podName, namespace: pod.namespace, uid };
    const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers };
    await client.create({ pod: { metadata, spec }, expandEnv: true }, call);
    await waitFor(
      'the pod to run',
      async () => {
        const [status] = await client.status([{ metadata }], call);
        return status?.phase === 'Running' && status.containers?.every(({ state }) => !state?.waiting);
      },
      { timeoutMs: 30_000 },
    );
  }

  async function containerId(name: string): Promise<string> {
    const found = await world.engine.docker.listContainers({
      filters: { label: [`interlink.eu/site=${world.site}`, `interlink.eu/container=${name}`] },
    });
    return found[0]?.Id ?? '';
  }

  const request = (command: string[], more: Partial<ExecRequest> = {}): ExecRequest => ({
    ...pod,
    containerName: 'main',
    command,
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
    ...more,
  });
  const script = (line: string, more: Partial<ExecRequest> = {}) => request(['sh', '-c', line], more);
  const given = (output: Readable | undefined) => (output === undefined ? Promise.resolve('') : text(output));

  async function result(streams: CommandStreams) {
    const [outcome, out, err] = await Promise.all([streams.outcome, given(streams.stdout), given(streams.stderr)]);
    return { outcome, out, err };
  }
  const run = async (...args: Parameters<typeof request>) => result(await client.exec(request(...args), call));

  it('a command gives its outputs apart, and its exit code', async () => {
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 42'])).toEqual({
      outcome: { exitCode: 42 },
      out: 'out\n',
      err: 'err\n',
    });
    expect(await run(['printf', '%s|', 'a b', '$HOME "x"', ''])).toMatchObject({ out: 'a b|$HOME "x"||' });
  });

  it('a program that is not there is 127, or 126, in the words of the engine', async () => {
    const { outcome, out } = await run(['/no/such/program']);
    expect([126, 127]).toContain('exitCode' in outcome && outcome.exitCode);
    expect(out).toContain('/no/such/program');
  });

  it('a code that comes long after the outputs have ended is waited for', async () => {
    expect(await run(['sh', '-c', 'exec >&- 2>&-; sleep 1; exit 5'])).toMatchObject({ outcome: { exitCode: 5 } });
  });

  it('8 MiB of stdin come back whole, and its end arrives', async () => {
    const streams = await client.exec(request(['cat'], { stdin: true }), call);
    const sent = Buffer.alloc(8 * mebibyte);
    for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at);
    const start = performance.now();
    streams.stdin?.end(sent);
    streams.stderr?.resume();
    const back = await buffer(streams.stdout ?? new PassThrough().end());
    console.info(`8 MiB there and back: ${Math.round(performance.now() - start)} ms`);
    expect(back.equals(sent)).toBe(true);
    expect(await streams.outcome).toEqual({ exitCode: 0 });
  });

  it('a terminal has a size, and gets a new one', async () => {
    const streams = await client.exec(script('stty size; read line; stty size', { stdin: true, tty: true }), call);
    expect(streams.stderr).toBeUndefined();
    streams.resize({ width: 132, height: 50 });
    const output: string[] = [];
    streams.stdout?.on('data', (chunk: Buffer) => output.push(String(chunk)));
    await sleep(500);
    streams.stdin?.write('\n');
    expect(await streams.outcome).toEqual({ exitCode: 0 });
    expect(output.join('')).toContain('50 132');
  });

  it('a slow reader costs no service memory', async () => {
    const services = [world.api, world.sidecar];
    const residents = async () =>
      Promise.all(
        services.map(async ({ pid }) => {
          const [, kibibytes] = /^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
          return Number(kibibytes) / 1024;
        }),
      );
    const flood = 'dd if=/dev/zero bs=65536 count=1600 2>/dev/null';
    // Once at full speed: what the first use of anything costs is no growth.
    const warm = await client.exec(script(flood), call);
    expect((await buffer(warm.stdout ?? new PassThrough().end())).length).toBe(1600 * 65536);
    warm.stderr?.resume();
    await warm.outcome;
    const before = await residents();
    const slow = await client.exec(script(flood), call);
    for (let seconds = 0; seconds < 5; seconds++) {
      await sleep(1000);
      slow.stdout?.read(65536);
    }
    const grown = (await residents()).map((now, index) => now - (before[index] ?? 0));
    console.info(`grown by MiB with a slow reader: API ${grown[0]?.toFixed(1)}, sidecar ${grown[1]?.toFixed(1)}`);
    slow.close();
    expect(Math.max(...grown)).toBeLessThan(8);
  });

  it('only what runs, and is of this pod and owner, is reached', async () => {
    const refused = (more: Partial<ExecRequest>, as = call) => client.exec(request(['true'], more), as);
    await expect(refused({ containerName: 'over' })).rejects.toMatchObject({
      code: 'NotFound',
      message: 'container not found ("over")',
    });
    await expect(refused({ containerName: 'none' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(refused({}, stranger)).rejects.toMatchObject({ code: 'NotFound' });
    await expect(client.portForward({ ...pod, port: 8081 }, stranger)).rejects.toMatchObject({ code: 'NotFound' });
    expect((await client.stats(stranger)).pods).toEqual([]);
  });

  it('attach joins the container itself, and leaves it running', async () => {
    const { command: _, ...wanted } = request([], { containerName: 'talks', stdin: true });
    const streams = await client.attach(wanted, call);
    const output: string[] = [];
    for (const stream of [streams.stdout, streams.stderr]) {
      stream?.on('data', (chunk: Buffer) => output.push(String(chunk)));
    }
    streams.stdin?.write('me\n');
    await waitFor('the container to answer', () => Promise.resolve(output.join('').includes('loud')), {
      timeoutMs: 5000,
    });
    expect(output.join('')).not.toContain('before');
    expect(output.join('')).toContain('heard me\n');
    streams.close();
    expect(await streams.outcome).toMatchObject({ error: { code: 'Unavailable' } });
    const again = await client.attach(wanted, call);
    again.stdin?.write('still there\n');
    expect(String((await once(again.stdout ?? new PassThrough(), 'data'))[0])).toBe('still there\n');
    again.close();
  });

  it('a port is forwarded, and each direction ends by itself', async () => {
    const connection = await client.portForward({ ...pod, port: 8081 }, call);
    const sent = Buffer.alloc(2 * mebibyte, 'x');
    connection.end(sent);
    expect((await buffer(connection)).equals(sent)).toBe(true);
    const closed = await client.portForward({ ...pod, port: 8099 }, call);
    const [error] = (await once(closed, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'Unavailable', message: expect.stringContaining('refused') });
  });

  it('stats say what the pod uses', async () => {
    const { pods } = await client.stats(call);
    expect(pods.map(({ uid }) => uid)).toEqual([pod.podUID]);
    expect(pods[0]?.containers.map(({ name }) => name).sort()).toEqual(['main', 'talks']);
    for (const one of pods[0]?.containers ?? []) {
      expect(one.cpuUsageCoreNanoSeconds).toBeGreaterThan(0);
      expect(one.memoryWorkingSetBytes).toBeGreaterThan(0);
      expect(one.memoryWorkingSetBytes).toBeLessThanOrEqual(one.memoryUsageBytes ?? 0);
    }
    expect(pods[0]?.network).toMatchObject({ rxBytes: expect.any(Number), txBytes: expect.any(Number) });
  });

  it('costs little more than the engine itself', async () => {
    const direct = async () => {
      const exec = await world.engine.docker
        .getContainer(main)
        .exec({ Cmd: ['true'], AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({ hijack: true, stdin: true });
      stream.resume();
      await once(stream, 'end');
      await exec.inspect();
    };
    const took: [number, number][] = [];
    // In turns: this machine may be busy with other things for a while.
    for (let count = 0; count < 50; count++) {
      took.push([await timeOf(direct), await timeOf(() => run(['true']))]);
    }
    const [there, ours] = [0, 1].map(
      (which) => took.map((pair) => pair[which] ?? NaN).sort((a, b) => a - b)[25] ?? NaN,
    );
    console.info(`50 execs, p50: direct ${there?.toFixed(1)} ms, through API and sidecar ${ours?.toFixed(1)} ms`);
    expect((ours ?? NaN) - (there ?? NaN)).toBeLessThan(30);
  });

  it('the stop of either service ends a command with an error', async () => {
    for (const service of [world.api, world.sidecar]) {
      const streams = await client.exec(script('echo here; sleep 300'), call);
      await once(streams.stdout ?? new PassThrough(), 'readable');
      const start = performance.now();
      const stopped = service.stop();
      expect(await result(streams)).toMatchObject({ outcome: { error: { code: 'Unavailable' } }, out: 'here\n' });
      await stopped;
      expect(performance.now() - start).toBeLessThan(5000);
      await service.start();
      await service.ready();
    }
    expect(await run(['true'])).toMatchObject({ outcome: { exitCode: 0 } });
  });
});
