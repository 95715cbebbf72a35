import { InterlinkError, type Secret } from '@interlink/contract';
import { createLogger } from '@interlink/service-kit';
import type { Credentials } from './registry/keyring.ts';
import { backingOff, Images, imageWait } from './images.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal', destination: { write: () => undefined } });
const signal = new AbortController().signal;

interface Pulled {
  image: string;
  auth: Credentials | undefined;
}

function harness(
  present: string[] = [],
  pull: (image: string, auth: Credentials | undefined) => Promise<void> = () => Promise.resolve(),
  allowed = true,
) {
  const pulled: Pulled[] = [];
  const told: string[] = [];
  const local = new Set(present);
  const tell = (text: string) => Promise.resolve(void told.push(text));
  const images = new Images(
    {
      inspectImage: (image) => Promise.resolve(local.has(image) ? { id: image, names: [image], user: '' } : undefined),
      pull: async (image, auth) => {
        pulled.push({ image, auth });
        await pull(image, auth);
        local.add(image);
      },
    },
    {
      allows: () => allowed,
      begin: () => tell('begin'),
      fail: () => tell('fail'),
      pulled: (id, repository, auth) => tell(`pulled ${id} ${repository} ${auth?.username}`),
    },
    log,
  );
  return { images, pulled, told };
}

describe('imagePullPolicy', () => {
  it.each([
    ['IfNotPresent', ['i:latest'], 0],
    ['IfNotPresent', [], 1],
    ['Always', ['i:latest'], 1],
    ['Never', ['i:latest'], 0],
  ])('%s with %j there pulls %i times', async (policy, local, times) => {
    const { images, pulled } = harness(local);
    await images.ensure('i', policy, [], signal);
    expect(pulled).toHaveLength(times);
  });

  it('Never, and not there, is ErrImageNeverPull', async () => {
    const { images } = harness();
    const error: unknown = await images.ensure('i', 'Never', [], signal).catch((thrown: unknown) => thrown);
    expect(imageWait(InterlinkError.from(error), 'i', undefined, 0).reason).toBe('ErrImageNeverPull');
  });
});

it('a name that can never be pulled is told as the kubelet does', async () => {
  const error: unknown = await harness()
    .images.ensure('A', 'Always', [], signal)
    .catch((thrown: unknown) => thrown);
  expect(imageWait(InterlinkError.from(error), 'A', undefined, 0)).toMatchObject({ reason: 'InvalidImageName' });
});

describe('pulls', () => {
  it('of one image at once are one; a later one is new, also after a failure', async () => {
    let end: (error?: Error) => void = () => undefined;
    const { images, pulled } = harness(
      [],
      () => new Promise((resolve, reject) => (end = (error) => (error ? reject(error) : resolve()))),
    );
    const all = Promise.allSettled([1, 2, 3].map(() => images.ensure('i', 'Always', [], signal)));
    await new Promise(setImmediate);
    expect(pulled).toHaveLength(1);
    end(new InterlinkError('Invalid', 'manifest unknown'));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const next = images.ensure('i', 'Always', [], signal);
    end();
    await next;
    expect(pulled).toHaveLength(2);
  });

  it('with other credentials are not shared', async () => {
    const { images, pulled } = harness();
    await Promise.all([
      images.ensure('r.example/i', 'Always', [], signal),
      images.ensure('r.example/i', 'Always', [secretFor({ 'r.example': { auth: b64('u:p') } })], signal),
    ]);
    expect(pulled).toHaveLength(2);
  });
});

const b64 = (text: string) => Buffer.from(text).toString('base64');
const secretFor = (auths: object): Secret => ({
  metadata: { name: 's' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': b64(JSON.stringify({ auths })) },
});

describe('credentials', () => {
  const secrets = [secretFor({ 'r.example': { auth: b64('u:p') } }), secretFor({ 'r.example': { auth: b64('v:q') } })];

  it('are tried one after the other; the one that was taken is remembered for the image', async () => {
    const { images, pulled, told } = harness([], (_, auth) =>
      auth?.username === 'u' ? Promise.reject(new InterlinkError('Invalid', 'denied')) : Promise.resolve(),
    );
    expect(await images.ensure('r.example/i', 'IfNotPresent', secrets, signal)).toMatchObject({
      id: 'r.example/i:latest',
    });
    expect(pulled.map(({ auth }) => auth?.username)).toEqual(['u', 'v']);
    expect(told).toEqual(['begin', 'fail', 'begin', 'pulled r.example/i:latest r.example/i v']);
  });

  it('that were all refused are an error, and none stand for all', async () => {
    const { images, pulled } = harness([], (_, auth) =>
      Promise.reject(new InterlinkError('Invalid', `no ${auth?.username}`)),
    );
    await expect(images.ensure('r.example/i', 'Always', secrets, signal)).rejects.toThrow('no u, no v');
    expect(pulled.map(({ auth }) => auth?.username)).toEqual(['u', 'v']);
  });

  it('stay announced when the engine goes away: nobody knows what it has brought', async () => {
    const { images, told } = harness([], () => Promise.reject(new InterlinkError('Unavailable', 'away')));
    await expect(images.ensure('r.example/i', 'Always', secrets, signal)).rejects.toMatchObject({
      code: 'Unavailable',
    });
    expect(told).toEqual(['begin']);
  });

  it('are asked about again for an image that came with those of others', async () => {
    const { images, pulled } = harness(
      ['i:latest'],
      () => Promise.reject(new InterlinkError('Invalid', 'denied')),
      false,
    );
    await expect(images.ensure('i', 'IfNotPresent', [], signal)).rejects.toThrow('denied');
    expect(pulled).toHaveLength(1);
    await expect(images.ensure('i', 'Never', [], signal)).rejects.toThrow('not present with pull policy of Never');
  });
});

describe('imageWait', () => {
  const error = new InterlinkError('NotFound', 'manifest unknown');

  it('doubles from 10 s to 5 minutes', () => {
    const delays: number[] = [];
    let wait = imageWait(error, 'i', undefined, 1000);
    for (let tries = 0; tries < 7; tries++) {
      delays.push(wait.delayMs / 1000);
      expect(wait).toMatchObject({ reason: 'ErrImagePull', retryAt: 1000 + wait.delayMs });
      // The error is not the only reason that is shown in between.
      wait = imageWait(error, 'i', backingOff(wait, 'i'), 1000);
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('says which image, what the registry said, and then that it backs off', () => {
    const wait = imageWait(error, 'i:1', undefined, 0);
    expect(wait.message).toBe('failed to pull image "i:1": manifest unknown');
    const later = backingOff(wait, 'i:1');
    expect(later).toMatchObject({ reason: 'ImagePullBackOff', retryAt: wait.retryAt, delayMs: wait.delayMs });
    expect(later.message).toBe(`Back-off pulling image "i:1": ErrImagePull: ${wait.message}`);
    expect(backingOff(later, 'i:1')).toBe(later);
  });
});
