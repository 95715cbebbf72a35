import { PassThrough } from 'node:stream';
import type { CommandStreams } from '@interlink/contract';
import type { Backend } from './backend.ts';
import { MemoryBackend } from './testing/memory-backend.ts';
import { call, owner, request as create, SidecarRuns } from './testing/sidecar-runs.ts';

let runs = new SidecarRuns();
beforeEach(() => (runs = new SidecarRuns()));
afterEach(() => runs.end());

const pod = { podUID: 'u', namespace: 'ns', podName: 'p-u' };
const wanted = { ...pod, containerName: 'main', stdin: false, stdout: true, stderr: true, tty: false };
const exec = { ...wanted, command: ['ls'] };
const notFound = expect.objectContaining({ code: 'NotFound' }) as Error;
const other = call('other/node');

const command: CommandStreams = {
  ...{ stdin: undefined, stdout: undefined, stderr: undefined },
  outcome: Promise.resolve({ exitCode: 0 }),
  resize: () => undefined,
  close: () => undefined,
};

describe('streams', () => {
  it('of a backend without them are not found, and the capabilities say so', async () => {
    const sidecar = await runs.start(new MemoryBackend());
    await sidecar.create(create('u'), call());
    const { features } = await sidecar.capabilities();
    expect(features).toMatchObject({ exec: false, attach: false, portForward: false, stats: false });
    await expect(sidecar.exec(exec, call())).rejects.toThrow(notFound);
    await expect(sidecar.attach(wanted, call())).rejects.toThrow(notFound);
    await expect(sidecar.portForward({ ...pod, port: 80 }, call())).rejects.toThrow(notFound);
    await expect(sidecar.stats(call())).rejects.toThrow(notFound);
  });

  it('reach the job of this owner alone', async () => {
    const seen: unknown[] = [];
    const streams: Pick<Required<Backend>, 'exec' | 'attach' | 'portForward' | 'stats'> = {
      exec: async (job, { command: argv }) => {
        seen.push([job.owner, job.uid, argv]);
        return command;
      },
      attach: async () => command,
      portForward: async () => new PassThrough(),
      stats: async (jobs) =>
        jobs.map(({ uid, pod: { metadata } }) => ({
          ...{ uid, name: metadata.name, namespace: metadata.namespace, containers: [] },
        })),
    };
    const sidecar = await runs.start(Object.assign(new MemoryBackend(), streams));
    await sidecar.create(create('u'), call());
    await sidecar.create(create('of-other'), other);
    const { features } = await sidecar.capabilities();
    expect(features).toMatchObject({ exec: true, attach: true, portForward: true, stats: true });

    expect(await sidecar.exec(exec, call())).toBe(command);
    expect(seen).toEqual([[owner, 'u', ['ls']]]);
    await expect(sidecar.exec(exec, other)).rejects.toThrow(notFound);
    await expect(sidecar.attach(wanted, other)).rejects.toThrow(notFound);
    await expect(sidecar.portForward({ ...pod, port: 80 }, other)).rejects.toThrow(notFound);
    await expect(sidecar.exec({ ...exec, podUID: 'unknown' }, call())).rejects.toThrow(notFound);
    expect(await sidecar.stats(call())).toMatchObject({
      pods: [{ uid: 'u', name: 'p-u' }],
      time: '2026-01-01T00:00:00.000Z',
    });
  });
});
