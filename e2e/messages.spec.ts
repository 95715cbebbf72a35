import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { podSchema, type ContainerStatus, type Pod } from '@interlink/contract';
import { waitFor } from '@interlink/testbed';
import { z } from 'zod';
import { base64, createObjects } from './support/cluster-objects.ts';
import { EmptyRegistry } from './support/empty-registry.ts';
import { httpsGet } from './support/https-get.ts';
import { runService } from './support/service-process.ts';
import {
  containersOf,
  createPod,
  deletePod,
  eventsOf,
  image,
  logs,
  podEnded,
  podGone,
  podWhere,
  startWorld,
  type World,
} from './support/world.ts';

const waitingOf = (pod: Pod): NonNullable<NonNullable<ContainerStatus['state']>['waiting']> | undefined =>
  pod.status?.containerStatuses?.[0]?.state?.waiting ?? undefined;

const nonEmpty = <T>(list: T[]): T[] | undefined => (list.length > 0 ? list : undefined);

const podsSchema = z.looseObject({ items: z.array(podSchema) });

describe('a pod that cannot run says why', () => {
  let world: World;
  let registry: EmptyRegistry;
  const waits = (name: string, reason: string, timeoutMs?: number) =>
    podWhere(world, name, `to wait for ${reason}`, (pod) => waitingOf(pod)?.reason === reason, timeoutMs);
  const events = async (pod: Pod, reason: string) =>
    (await eventsOf(world, pod.metadata.uid)).filter((event) => event.reason === reason);
  const goesAtOnce = async ({ metadata }: Pod) => {
    const asked = Date.now();
    await deletePod(world, metadata.name);
    await podGone(world, metadata.name, metadata.uid);
    expect(Date.now() - asked).toBeLessThan(5_000);
  };
  const podsOf = async (app: string) =>
    (
      await world.kube.get({
        path: '/api/v1/namespaces/default/pods',
        query: { labelSelector: `app=${app}` },
        schema: podsSchema,
      })
    ).items;
  const workload = async (kind: string, name: string, spec: object, podSpec: object) => {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image }], ...podSpec } };
    const body = {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name },
      spec: { ...spec, selector: { matchLabels: labels }, template },
    };
    const applied = await world.cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(body) });
    expect(applied).toMatchObject({ code: 0 });
  };

  beforeAll(async () => {
    registry = await EmptyRegistry.start();
    world = await startWorld('messages');
  });
  afterAll(async () => {
    await world.stop();
    registry.stop();
  });

  const fromConfigMap = (name: string, optional = false) => ({ envFrom: [{ configMapRef: { name, optional } }] });
  const secretVolume = (secretName: string) => ({ volumes: [{ name: 'v', secret: { secretName } }] });

  it('a missing ConfigMap, Secret or key: it waits, says so once, and starts soon after it is there', async () => {
    await createObjects(world, { configMaps: { 'no-key': { data: { other: '' } } } });
    const keyRef = { configMapKeyRef: { name: 'no-key', key: 'wanted' } };
    await Promise.all([
      createPod(world, { name: 'config-map', script: 'echo $A', container: fromConfigMap('later') }),
      createPod(world, {
        name: 'secret',
        script: 'cat /v/b',
        spec: secretVolume('later'),
        container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      }),
      createPod(world, { name: 'key', script: 'echo $C', container: { env: [{ name: 'C', valueFrom: keyRef }] } }),
      createPod(world, { name: 'optional', script: 'true', container: fromConfigMap('absent', true) }),
      createPod(world, { name: 'never', script: 'true', container: fromConfigMap('absent') }),
    ]);
    const missing = { 'config-map': 'ConfigMap "later"', secret: 'Secret "later"', key: '"wanted"' };
    for (const [name, what] of Object.entries(missing)) {
      const pod = await waits(name, 'CreateContainerConfigError');
      expect(pod.status?.phase).toBe('Pending');
      expect(waitingOf(pod)?.message).toContain(what);
    }
    await podEnded(world, 'optional');
    await goesAtOnce(await waits('never', 'CreateContainerConfigError'));
    // Long enough for the back-off to have grown.
    await sleep(12_000);
    const waiting = await waits('config-map', 'CreateContainerConfigError');
    expect(await events(waiting, 'Waiting')).toEqual([
      expect.objectContaining({ type: 'Warning', message: expect.stringContaining('ConfigMap "later"') }),
    ]);

    await createObjects(world, { configMaps: { later: { data: { A: 'a' } } }, secrets: { later: { b: base64('b') } } });
    await world.cluster.kubectl(['patch', 'configmap', 'no-key', '-p', '{"data":{"wanted":"c"}}']);
    const created = Date.now();
    const ended = await Promise.all(Object.keys(missing).map((name) => podEnded(world, name)));
    expect(Date.now() - created).toBeLessThan(15_000);
    expect(ended.map(({ status }) => status?.phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    expect(await Promise.all(Object.keys(missing).map((name) => logs(world, name)))).toEqual(['a\n', 'b', 'c\n']);
  });

  it('an image that cannot be had: ErrImagePull, then ImagePullBackOff; one that may not be pulled', async () => {
    const pod = (name: string, ref: string, imagePullPolicy = 'IfNotPresent') =>
      createPod(world, { name, script: 'true', container: { image: ref, imagePullPolicy } });
    await Promise.all([
      pod('no-image', `${registry.host}/absent:1`),
      pod('torn-image', `${registry.host}/torn:1`),
      pod('never-pulled', 'interlink-absent:1', 'Never'),
    ]);
    for (const [name, ref] of [
      ['no-image', `${registry.host}/absent:1`],
      ['torn-image', `${registry.host}/torn:1`],
    ] as const) {
      const failed = await podWhere(world, name, 'to fail to pull', (one) =>
        /^(ErrImagePull|ImagePullBackOff)$/.test(waitingOf(one)?.reason ?? ''),
      );
      expect(failed.status?.phase).toBe('Pending');
      expect(waitingOf(failed)?.message).toContain(ref);
    }
    const never = await waits('never-pulled', 'ErrImageNeverPull');
    expect(waitingOf(never)?.message).toContain('is not present with pull policy of Never');
    const backsOff = await Promise.all([
      waits('no-image', 'ImagePullBackOff'),
      waits('torn-image', 'ImagePullBackOff'),
    ]);
    for (const one of [...backsOff, never]) await goesAtOnce(one);
  });

  it.each([
    ['hostNetwork', { hostNetwork: true }, {}, 'spec.hostNetwork'],
    [
      'a Localhost seccomp profile',
      {},
      { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } } },
      'spec.containers[0].securityContext.seccompProfile',
    ],
    ['a hostPath volume', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }, {}, 'spec.volumes[0].hostPath'],
  ])('%s, which the site does not do: the pod fails, naming the field', async (what, spec, container, field) => {
    const name = `refused-${what.replaceAll(/[^a-z]/gi, '').toLowerCase()}`;
    await createPod(world, { name, script: 'true', spec, container });
    const pod = await podEnded(world, name);
    expect(pod.status).toMatchObject({
      phase: 'Failed',
      reason: 'Unsupported',
      message: expect.stringContaining(field),
    });
    const refused = await events(pod, 'Refused');
    expect(refused).toEqual([expect.objectContaining({ type: 'Warning', message: expect.stringContaining(field) })]);
    expect(await containersOf(world, pod.metadata.uid)).toEqual([]);
    await goesAtOnce(pod);
  });

  it('the same in a Deployment: its pods wait, and are not replaced for ever', async () => {
    await workload('Deployment', 'storm', { replicas: 3 }, { hostUsers: false });
    await sleep(15_000);
    const found = await podsOf('storm');
    expect(found.map(({ status }) => status?.phase)).toEqual(['Pending', 'Pending', 'Pending']);
    expect(found.map((pod) => waitingOf(pod)?.reason)).toEqual(['Unsupported', 'Unsupported', 'Unsupported']);
    const told = await Promise.all(found.map((pod) => eventsOf(world, pod.metadata.uid)));
    expect(told.flat().map(({ reason }) => reason)).toEqual(['Refused', 'Refused', 'Refused']);
    await world.cluster.kubectl(['delete', 'deployment', 'storm']);
    for (const { metadata } of found) await podGone(world, metadata.name, metadata.uid);
    expect(await podsOf('storm')).toEqual([]);
  });

  it('a pod of a DaemonSet that comes all the same: it waits, and no container is made', async () => {
    await workload('DaemonSet', 'everywhere', {}, { tolerations: [{ operator: 'Exists' }] });
    const [found] = await waitFor('a pod', async () => nonEmpty(await podsOf('everywhere')), { timeoutMs: 15_000 });
    const name = found?.metadata.name ?? '';
    const pod = await waits(name, 'NotOffloaded');
    expect(pod.spec.nodeName).toBe(world.chain.nodeName);
    expect(waitingOf(pod)?.message).toContain('DaemonSet');
    expect(await containersOf(world, pod.metadata.uid)).toEqual([]);
    await world.cluster.kubectl(['delete', 'daemonset', 'everywhere']);
    await podGone(world, name, pod.metadata.uid);
  });

  it('the kubelet port: nobody without credentials, and nobody without rights', async () => {
    const { cluster, chain } = world;
    const pod = await createPod(world, { name: 'private', script: 'echo secret' });
    await podEnded(world, 'private');
    const query = 'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}';
    const port = Number((await cluster.kubectl(['get', 'node', chain.nodeName, '-o', query])).stdout);
    expect(port).toBeGreaterThan(0);
    const ca = await readFile(cluster.clientCaFile, 'utf8');
    const token = (await cluster.kubectl(['create', 'token', 'default'])).stdout.trim();
    const path = `/containerLogs/default/${pod.metadata.name}/main`;
    for (const url of [path, '/healthz', '/metrics', '/no/such/path']) {
      expect(await httpsGet({ port, ca, path: url })).toMatchObject({ status: 401 });
      expect(await httpsGet({ port, ca, path: url, token: `${token}x` })).toMatchObject({ status: 401 });
      const forbidden = await httpsGet({ port, ca, path: url, token });
      expect(forbidden.status).toBe(403);
      expect(forbidden.text).toContain('user=system:serviceaccount:default:default');
    }
    expect(await httpsGet({ port, ca, path, token: cluster.adminToken })).toEqual({ status: 200, text: 'secret\n' });
  });

  it('a kubelet port that is taken: vk-node does not start, and says which', async () => {
    const address = registry.host;
    const config = {
      node: { name: 'other-node', address: '127.0.0.1' },
      kubeconfig: world.cluster.kubeconfig,
      api: { endpoint: world.chain.api.endpoint },
      kubelet: { host: '127.0.0.1', port: Number(address.split(':')[1]) },
      listen: [{ address: `unix://${join(world.chain.dir, 'other.sock')}` }],
    };
    const { code, stderr } = await runService('vk-node', JSON.stringify(config), world.chain.dir);
    expect(code).toBe(1);
    expect(stderr).toContain(address);
    expect(stderr).toContain('stop the other process or choose another address');
  });
});
