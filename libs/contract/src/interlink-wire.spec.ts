import { Readable } from 'node:stream';
import type { Leg } from './routes.ts';
import { ContractServer } from './testing/contract-server.ts';

/** What interLink's own programs send, byte for byte where it matters; the types are theirs, nulls included. */
const uid = '6f0c1b1e-0000-4000-8000-000000000001';
const metadata = { name: 'job1', namespace: 'ml', uid, creationTimestamp: null };
const pod = {
  metadata: { ...metadata, annotations: { 'slurm-job.vk.io/flags': '-t 10' } },
  spec: {
    volumes: [{ name: 'c', configMap: { name: 'cm', defaultMode: 420 } }],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sh', '-c'],
        args: ['cat /c/a'],
        env: [{ name: 'A', value: '1' }],
        resources: { limits: { cpu: '1' } },
        volumeMounts: [{ name: 'c', mountPath: '/c' }],
      },
    ],
    restartPolicy: 'Never',
  },
  status: { phase: 'Pending' },
};
const configMap = { metadata: { name: 'cm', namespace: 'ml' }, data: { a: 'hello' } };
const token = {
  metadata: { name: 'kube-api-access-x', creationTimestamp: null },
  data: { token: 'eyJ..', 'ca.crt': '-----BEGIN..', namespace: 'ml' },
};
const createRequest = {
  pod,
  configmaps: [configMap],
  secrets: null,
  projectedvolumesmaps: [token],
  jobscriptURL: '',
};
const retrievedPod = {
  pod,
  container: [{ name: 'main', configMaps: [configMap], projectedvolumemaps: null, secrets: null, emptyDirs: null }],
  jobConfig: {
    SingularityHubProxy: { server: '', master_token: '', cache_validity_seconds: 0 },
    ApptainerOptions: { executable: '', fakeroot: false },
    Volumes: { scratch_area: '', additional_directories_in_path: null, fuse_sleep_seconds: 0 },
  },
};
const logRequest = {
  Namespace: 'ml',
  PodUID: uid,
  PodName: 'job1',
  ContainerName: 'main',
  Opts: {
    Tail: 10,
    Bytes: 0,
    Timestamps: false,
    Follow: true,
    Previous: false,
    SinceSeconds: 0,
    SinceTime: '0001-01-01T00:00:00Z',
  },
};
const json = (session: string) => ({ 'Content-Type': 'application/json', 'InterLink-Http-Session': session });
const created = { PodUID: uid, PodJID: '1234' };
const statuses = [{ name: 'job1', namespace: 'ml', UID: uid, JID: '1234' }];

type Wire = [method: string, path: string, body: unknown, headers: Record<string, string>, reply?: object];

describe.each<[Leg, Wire[]]>([
  [
    'api',
    [
      ['POST', '/create', createRequest, json('CreatePod#4711'), created],
      ['DELETE', '/delete', pod, json('DeletePod#1')],
      ['GET', '/status', [pod], json('GetStatus#2'), statuses],
      ['POST', '/pinglink', undefined, { 'InterLink-Http-Session': 'PingInterLink#3' }, { status: 'ok' }],
    ],
  ],
  [
    'sidecar',
    [
      ['POST', '/create', retrievedPod, json('CreatePod#4711'), created],
      ['POST', '/create', [retrievedPod], json('CreatePod#4712'), created],
      ['POST', '/delete', pod, json('DeletePod#1')],
      ['GET', '/status', [pod], json('GetStatus#2'), statuses],
      ['GET', '/status', [], json('Request-6f0c1b1e-0000-4000-8000-000000000002'), { status: 'ok' }],
    ],
  ],
])("interLink's requests to the %s", (leg, requests) => {
  let server: ContractServer;
  beforeAll(async () => (server = await new ContractServer(leg).start()));
  afterAll(() => server.stop());

  it.each(requests)('%s %s', async (...row) => {
    const [method, path, body, headers, expected] = row;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await server.send(method, path, text, { ...headers, Authorization: 'Bearer x' });
    expect(answer.status).toBe(200);
    if (expected !== undefined) expect(JSON.parse(answer.text)).toMatchObject(expected);
    const seen = server.handlers.calls.at(-1);
    expect(seen?.call).toMatchObject({ owner: 'classic', session: headers['InterLink-Http-Session'] });
    const dialect: unknown = Array.isArray(body) && path === '/create' ? body[0] : body;
    if (seen?.name !== 'ping') expect(seen?.argument).toEqual(dialect);
  });

  it('GET /getLogs', async () => {
    const asked: unknown[] = [];
    server.handlers.logs = async (request) => {
      asked.push(request);
      return Readable.from(['line 1\n', 'line 2\n']);
    };
    const answer = await server.send('GET', '/getLogs', JSON.stringify(logRequest), json('GetLogs#5'));
    expect(answer).toEqual({ status: 200, text: 'line 1\nline 2\n' });
    expect(asked).toEqual([logRequest]);
  });
});

it("answers interLink's ways to say that there is nothing more to say", async () => {
  const server = await new ContractServer('api').start();
  try {
    expect(await server.send('POST', '/updateCache', uid)).toEqual({ status: 200, text: 'Updated cache' });
    // A body without a content type, as its ping and some plugins of others send them.
    const bare = await server.send('GET', '/status', JSON.stringify([pod]), {});
    expect(bare.status).toBe(200);
  } finally {
    await server.stop();
  }
});
