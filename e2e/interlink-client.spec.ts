import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@interlink/testbed';
import { z } from 'zod';
import { containersOf, image, noContainers, startWorld, type World } from './support/world.ts';

/** Requests as interLink's Go virtual kubelet sends them: method, path, headers and JSON, `null`s included. */
describe("interLink's own virtual kubelet at our API", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('goclient');
  });
  afterAll(() => world.stop());

  const uid = '6f0c1b1e-0000-4000-8000-000000000001';
  const metadata = {
    name: 'job1',
    namespace: 'ml',
    uid,
    creationTimestamp: '2026-01-01T00:00:00Z',
    annotations: { 'slurm-job.vk.io/flags': '-t 10' },
  };
  const pod = {
    metadata,
    spec: {
      volumes: [{ name: 'c', configMap: { name: 'cm', defaultMode: 420 } }],
      containers: [
        {
          name: 'main',
          image,
          command: ['sh', '-c'],
          args: ['cat /c/a; echo "$A" "$B"; sleep 1; exit 6'],
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '$(A)' },
          ],
          resources: {},
          volumeMounts: [{ name: 'c', mountPath: '/c' }],
        },
      ],
      restartPolicy: 'Never',
    },
    status: { phase: 'Pending' },
  };

  it('pings, creates, asks, reads the log and deletes', async () => {
    const ping = await call(world, 'POST', '/pinglink', 'PingInterLink#1');
    expect(ping.status).toBe(200);
    expect(JSON.parse(ping.text)).toMatchObject({ status: 'ok', resources: { cpu: expect.any(String) } });

    const create = {
      pod,
      configmaps: [{ metadata: { name: 'cm', namespace: 'ml' }, data: { a: 'hello\n' } }],
      secrets: null,
      projectedvolumesmaps: null,
      jobscriptURL: '',
    };
    const created = await call(world, 'POST', '/create', 'CreatePod#4711', create);
    expect(created.status).toBe(200);
    expect(JSON.parse(created.text)).toEqual({ PodUID: uid, PodJID: expect.stringMatching(/./) });

    const ended = await waitFor(
      'the job to end',
      async () => {
        const { status, text } = await call(world, 'GET', '/status', 'GetStatus#2', [pod]);
        expect(status).toBe(200);
        const [first] = statusSchema.parse(JSON.parse(text));
        return first?.containers[0]?.state.terminated ? first : undefined;
      },
      { timeoutMs: 30_000 },
    );
    expect(ended).toMatchObject({ name: 'job1', namespace: 'ml', UID: uid, initContainers: [] });
    expect(ended.containers[0]?.state.terminated).toMatchObject({ exitCode: 6 });

    const opts = {
      Tail: 10,
      Bytes: 0,
      Timestamps: false,
      Follow: false,
      Previous: false,
      SinceSeconds: 0,
      SinceTime: '0001-01-01T00:00:00Z',
    };
    const log = await call(world, 'GET', '/getLogs', 'GetLogs#3', {
      Namespace: 'ml',
      PodUID: uid,
      PodName: 'job1',
      ContainerName: 'main',
      Opts: opts,
    });
    // It expands variables itself: `$(A)` has come as final text and must stay so.
    expect(log).toEqual({ status: 200, text: 'hello\n1 $(A)\n' });

    expect((await call(world, 'DELETE', '/delete', 'DeletePod#5', pod)).status).toBe(200);
    await noContainers(world, uid);
    // Nothing is said of a pod that is not known: an empty container list would mean Succeeded to it.
    const after = await call(world, 'GET', '/status', 'GetStatus#6', [
      { ...pod, metadata: { ...metadata, uid: 'other' } },
    ]);
    expect(after).toEqual({ status: 200, text: '[]' });
  });

  it('dying in the middle of a request hurts nobody', async () => {
    for (const path of ['/create', '/delete', '/status', '/getLogs', '/updateCache']) {
      const half = request({
        socketPath: world.chain.api.socketPath,
        path,
        method: 'POST',
        headers: { 'Content-Length': '1000' },
      });
      half.on('error', () => undefined);
      half.write('{"pod":');
      await sleep(50);
      half.destroy();
    }
    expect((await call(world, 'POST', '/pinglink', 'PingInterLink#9')).status).toBe(200);
    expect(await containersOf(world)).toEqual([]);
  });
});

const statusSchema = z.array(
  z.looseObject({
    containers: z.array(
      z.looseObject({ state: z.looseObject({ terminated: z.looseObject({ exitCode: z.number() }).nullish() }) }),
    ),
  }),
);

async function call(
  { chain }: World,
  method: string,
  path: string,
  session: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    // Go states the length of a GET's body too; Node does not of its own accord.
    const content = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const headers = { 'InterLink-Http-Session': session, ...(body === undefined ? {} : content) };
    const sent = request({ socketPath: chain.api.socketPath, path, method, headers, timeout: 20_000 }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (answer += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: answer }));
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
