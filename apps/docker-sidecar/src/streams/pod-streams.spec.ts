import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { InterlinkError, type ExecRequest } from '@interlink/contract';
import { FakeStreams } from '../testing/fake-streams.ts';
import { exited, factsOf, makeFact, makeJob, sandbox } from '../testing/jobs.ts';
import { PodStreams } from './pod-streams.ts';

const signal = new AbortController().signal;
const frame = (stream: number, content: string) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
};
const wanted = { podUID: 'u', namespace: 'ns', podName: 'pod', stdin: true, stdout: true, stderr: true, tty: false };
const request: ExecRequest = { ...wanted, containerName: 'main', command: ['ls', '-l'] };
const job = makeJob({
  containers: [
    { name: 'main', image: 'i' },
    { name: 'shell', image: 'i', stdin: true, tty: true },
    { name: 'over', image: 'i' },
  ],
});

let engine = new FakeStreams();
let streams: PodStreams;
beforeEach(() => {
  engine = new FakeStreams();
  streams = new PodStreams({
    calls: engine,
    factsOf: () =>
      factsOf(sandbox(), exited(1), makeFact({ attempt: 1 }), makeFact({ name: 'shell' }), exited(0, { name: 'over' })),
    limit: (run) => run(),
  });
});

describe('exec', () => {
  it('runs in the present attempt, takes the frames apart, and knows the code', async () => {
    const command = await streams.exec(job, request, signal);
    expect(engine.asked).toMatchObject([{ what: 'exec ls -l', id: 'main-main-1' }]);
    command.stdin?.end('in');
    expect(await text(engine.input)).toBe('in');
    const wire = Buffer.concat([frame(1, 'out '), frame(2, 'err'), frame(1, 'more')]);
    engine.output.write(wire.subarray(0, 9));
    engine.output.end(wire.subarray(9));
    engine.code = 3;
    const outputs = [command.stdout, command.stderr].map((output) => text(output ?? engine.output));
    expect(await Promise.all([...outputs, command.outcome])).toEqual(['out more', 'err', { exitCode: 3 }]);
  });

  it('with a terminal has one output, as it is, and sizes', async () => {
    const command = await streams.exec(job, { ...request, tty: true }, signal);
    expect(command.stderr).toBeUndefined();
    command.resize({ width: 80, height: 24 });
    engine.output.end('\u0001plain');
    expect(await text(command.stdout ?? engine.output)).toBe('\u0001plain');
    expect(await command.outcome).toEqual({ exitCode: 0 });
    expect(engine.sizes).toEqual(['80x24']);
  });

  it('waits for a code that comes after the streams', async () => {
    engine.code = undefined;
    const command = await streams.exec(job, { ...request, stderr: false, stdout: false }, signal);
    engine.output.end();
    setTimeout(() => (engine.code = 9), 30);
    expect(await command.outcome).toEqual({ exitCode: 9 });
  });

  it('that is hung up lets go of the engine', async () => {
    engine.code = undefined;
    const command = await streams.exec(job, request, signal);
    command.close();
    expect(await command.outcome).toMatchObject({ error: { code: 'Unavailable' } });
    expect(engine.output.destroyed).toBe(true);
  });

  it('whose engine breaks off is Unavailable', async () => {
    const command = await streams.exec(job, { ...request, stdout: false, stderr: false }, signal);
    engine.output.destroy(new Error('ECONNRESET'));
    expect(await command.outcome).toMatchObject({ error: { code: 'Unavailable' } });
  });

  it.each(['over', 'none', ''])('in %j, which does not run, is refused as the kubelet does', async (containerName) => {
    await expect(streams.exec(job, { ...request, containerName }, signal)).rejects.toMatchObject({
      code: 'NotFound',
      message: `container not found ("${containerName}")`,
    });
    expect(engine.asked).toEqual([]);
  });

  it('in what has ended since the last look is refused alike', async () => {
    engine.exec = () => Promise.reject(new InterlinkError('Gone', 'container main is not running'));
    await expect(streams.exec(job, request, signal)).rejects.toMatchObject({ code: 'NotFound' });
  });
});

describe('attach', () => {
  it('takes terminal and stdin from the container, not from who asks', async () => {
    const { command: _, ...attach } = request;
    await streams.attach(job, { ...attach, tty: true }, signal);
    await streams.attach(job, { ...attach, containerName: 'shell' }, signal);
    expect(engine.asked.map(({ id, streams: { stdin, tty } }) => [id, stdin, tty])).toEqual([
      ['main-main-1', false, false],
      ['main-shell-0', true, true],
    ]);
    await expect(streams.attach(job, { ...attach, containerName: 'over' }, signal)).rejects.toMatchObject({
      code: 'NotFound',
      message: 'container over not found in pod pod_ns',
    });
  });
});

describe('port-forward', () => {
  const forward = { podUID: 'u', namespace: 'ns', podName: 'pod', port: 80 };

  it('goes through the sandbox, and each direction ends by itself', async () => {
    const connection = await streams.portForward(job, forward, signal);
    expect(engine.asked).toMatchObject([{ what: 'exec /sandbox dial 80', id: 'sandbox--0' }]);
    connection.end('request');
    expect(await text(engine.input)).toBe('request');
    engine.output.end(frame(1, 'answer'));
    expect(await text(connection)).toBe('answer');
    if (!connection.closed) await once(connection, 'close');
  });

  it('ends with what the program complains of', async () => {
    const connection = await streams.portForward(job, forward, signal);
    engine.code = 1;
    engine.output.end(frame(2, 'sandbox: connection refused\n'));
    const [error] = (await once(connection, 'error')) as [InterlinkError];
    expect(error).toMatchObject({
      code: 'Unavailable',
      message: expect.stringMatching(/port|:80.*connection refused$/),
    });
  });

  it('needs a pod that runs', async () => {
    const stopped = new PodStreams({ calls: engine, factsOf: () => factsOf(exited(0)), limit: (run) => run() });
    await expect(stopped.portForward(job, forward, signal)).rejects.toMatchObject({
      code: 'NotFound',
      message: 'pod not found ("pod_ns")',
    });
  });
});

describe('stats', () => {
  it('are of what runs, and leave out what goes in between', async () => {
    engine.measured.set('main-main-1', { cpu_stats: { cpu_usage: { total_usage: 7 } } });
    engine.measured.set('sandbox--0', { networks: { eth0: { rx_bytes: 1, tx_bytes: 2 } } });
    const measure = engine.stats.bind(engine);
    engine.stats = (id) =>
      id === 'main-shell-0' ? Promise.reject(new InterlinkError('NotFound', 'gone')) : measure(id);
    expect(await streams.stats([job], signal)).toEqual([
      {
        uid: 'u',
        namespace: 'ns',
        name: 'pod',
        containers: [expect.objectContaining({ name: 'main', cpuUsageCoreNanoSeconds: 7 })],
        network: { rxBytes: 1, txBytes: 2 },
      },
    ]);
    engine.stats = () => Promise.reject(new InterlinkError('Unavailable', 'no engine'));
    await expect(streams.stats([job], signal)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
