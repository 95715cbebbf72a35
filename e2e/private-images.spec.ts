import { join } from 'node:path';
import { podSchema, type Pod } from '@interlink/contract';
import { startRegistry, waitFor, type Registry } from '@interlink/testbed';
import { z } from 'zod';
import { image as busybox, podManifest, startWorld, type World } from './support/world.ts';

const namespaces = ['with-secret', 'without-secret', 'with-wrong-secret'] as const;
type Namespace = (typeof namespaces)[number];

describe('images of a registry that wants credentials', () => {
  let world: World;
  let registry: Registry;
  const images: string[] = [];
  beforeAll(async () => {
    world = await startWorld('private');
    registry = await startRegistry(join(world.chain.dir, 'registry'));
    for (const name of ['team/app:1', 'team/never:1', 'team/legacy:1']) images.push(await makePrivate(name));
    const { username, password } = registry.user;
    await Promise.all(
      namespaces.map(async (namespace) => {
        const create = (path: string, kind: string, body: object) =>
          world.kube.create({ path, body: { apiVersion: 'v1', kind, ...body }, schema: z.unknown() });
        await create('/api/v1/namespaces', 'Namespace', { metadata: { name: namespace } });
        const secret = (name: string, key: string, type: string, content: object) =>
          create(`/api/v1/namespaces/${namespace}/secrets`, 'Secret', {
            metadata: { name },
            type,
            data: { [key]: Buffer.from(JSON.stringify(content)).toString('base64') },
          });
        if (namespace === 'without-secret') return;
        const secretWord = namespace === 'with-secret' ? password : 'guessed';
        const auth = Buffer.from(`${username}:${secretWord}`).toString('base64');
        const auths = { [`http://${registry.host}/team`]: { auth } };
        await secret('pull', '.dockerconfigjson', 'kubernetes.io/dockerconfigjson', { auths });
        await secret('legacy', '.dockercfg', 'kubernetes.io/dockercfg', { [registry.host]: { auth } });
      }),
    );
    await waitFor('service accounts', async () => (await accounts()) >= namespaces.length, { timeoutMs: 30_000 });
  });
  afterAll(async () => {
    for (const name of images)
      await world.engine.docker
        .getImage(name)
        .remove()
        .catch(() => undefined);
    await registry.stop();
    await world.stop();
  });

  async function accounts(): Promise<number> {
    const list = await world.kube.get({
      path: '/api/v1/serviceaccounts',
      query: { fieldSelector: 'metadata.name=default' },
      schema: z.looseObject({ items: z.array(z.looseObject({ metadata: z.looseObject({ namespace: z.string() }) })) }),
    });
    return list.items.filter(({ metadata }) => namespaces.some((name) => name === metadata.namespace)).length;
  }

  /** An image that nothing else on the engine is. @returns its name in the registry, where alone it is left. */
  async function makePrivate(name: string): Promise<string> {
    const { docker } = world.engine;
    const container = await docker.createContainer({ Image: busybox, Cmd: ['true'] });
    const repo = `interlink-private-${process.pid}`;
    await container.commit({ repo, tag: '1', changes: `LABEL made-for=${registry.host}/${name}` });
    await container.remove();
    const pushed = await registry.push(docker, `${repo}:1`, name);
    await docker.getImage(`${repo}:1`).remove();
    return pushed;
  }

  async function create(namespace: Namespace, name: string, image: string, more: Record<string, unknown> = {}) {
    const { policy = 'IfNotPresent', secrets = ['pull'] } = more;
    const imagePullSecrets = (Array.isArray(secrets) ? secrets : []).map((secret: unknown) => ({ name: secret }));
    const spec = namespace === 'without-secret' ? {} : { imagePullSecrets };
    const container = { image, imagePullPolicy: policy };
    const body = podManifest({ name, script: 'echo ran', spec, container });
    return world.kube.create({ path: `/api/v1/namespaces/${namespace}/pods`, body, schema: podSchema });
  }

  const until = (namespace: Namespace, name: string, what: string, holds: (pod: Pod) => boolean) =>
    waitFor(
      `pod ${name} to ${what}`,
      async () => {
        const pod = await world.kube.get({ path: `/api/v1/namespaces/${namespace}/pods/${name}`, schema: podSchema });
        return holds(pod) ? pod : undefined;
      },
      { timeoutMs: 30_000 },
    );
  const waiting = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting;
  const succeeds = (namespace: Namespace, name: string) =>
    until(namespace, name, 'succeed', ({ status }) => status?.phase === 'Succeeded');
  const waits = async (namespace: Namespace, name: string, ...reasons: string[]) =>
    waiting(
      await until(namespace, name, `wait: ${reasons.join()}`, (pod) => reasons.includes(waiting(pod)?.reason ?? '')),
    );

  it('run with the Secret, then still do not without it, though the engine has them', async () => {
    const [app = ''] = images;
    await create('with-secret', 'first', app);
    await succeeds('with-secret', 'first');
    expect(await world.engine.docker.getImage(app).inspect()).toMatchObject({ RepoTags: [app] });

    await create('without-secret', 'second', app);
    const refused = await waits('without-secret', 'second', 'ErrImagePull', 'ImagePullBackOff');
    expect(refused?.message).toContain('no basic auth credentials');
    const later = await waits('without-secret', 'second', 'ImagePullBackOff');
    expect(later?.message).toMatch(new RegExp(`^Back-off pulling image "${app}": ErrImagePull: `));

    await create('with-wrong-secret', 'third', app);
    await waits('with-wrong-secret', 'third', 'ErrImagePull', 'ImagePullBackOff');

    // The registry need not be asked again for whom it has let in.
    await create('with-secret', 'fourth', app, { policy: 'Never' });
    await succeeds('with-secret', 'fourth');
    await create('without-secret', 'fifth', app, { policy: 'Never' });
    const never = await waits('without-secret', 'fifth', 'ErrImageNeverPull');
    expect(never?.message).toBe(`Container image "${app}" is not present with pull policy of Never`);
  });

  it('are remembered so after a crash of the sidecar', async () => {
    const [app = ''] = images;
    await world.chain.sidecar.kill();
    await world.chain.sidecar.start();
    await create('without-secret', 'after-crash', app);
    await waits('without-secret', 'after-crash', 'ErrImagePull', 'ImagePullBackOff');
    await create('with-secret', 'after-crash', app, { policy: 'Never' });
    await succeeds('with-secret', 'after-crash');
  });

  it('the id of an image opens nothing', async () => {
    const [app = ''] = images;
    const { Id: id } = await world.engine.docker.getImage(app).inspect();
    await create('without-secret', 'by-id', id, { policy: 'IfNotPresent' });
    await waits('without-secret', 'by-id', 'ErrImagePull', 'ImagePullBackOff');
  });

  it('the older kind of Secret serves too', async () => {
    const [, , legacy = ''] = images;
    await create('with-secret', 'legacy', legacy, { secrets: ['legacy'] });
    await succeeds('with-secret', 'legacy');
  });

  it('what never came with credentials is everybody’s', async () => {
    await create('without-secret', 'public', busybox);
    await succeeds('without-secret', 'public');
  });

  it('one that is not there and may not be pulled, and one whose name cannot be', async () => {
    const [, never = ''] = images;
    await create('with-secret', 'never', never, { policy: 'Never' });
    await waits('with-secret', 'never', 'ErrImageNeverPull');
    await create('with-secret', 'misnamed', 'Not A Name');
    expect(await waits('with-secret', 'misnamed', 'InvalidImageName')).toMatchObject({
      message: `Failed to apply default image tag "Not A Name": couldn't parse image name "Not A Name": invalid reference format: repository name (library/Not A Name) must be lowercase`,
    });
  });
});
