import { InterlinkError, type Secret } from '@interlink/contract';
import { createLogger } from '@interlink/service-kit';
import { backingOff, Images, imageWait } from './images.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal', destination: { write: () => undefined } });
const signal = new AbortController().signal;

interface Pulled {
  image: string;
  auth: unknown;
}

function harness(local: string[] = [], pull: () => Promise<void> = () => Promise.resolve()) {
  const pulled: Pulled[] = [];
  const images = new Images(
    {
      hasImage: (image) => Promise.resolve(local.includes(image)),
      pull: (image, auth) => {
        pulled.push({ image, auth });
        return pull();
      },
    },
    log,
  );
  return { images, pulled };
}

describe('imagePullPolicy', () => {
  it.each([
    ['IfNotPresent', ['i'], 0],
    ['IfNotPresent', [], 1],
    ['Always', ['i'], 1],
    ['Never', ['i'], 0],
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
  const auth = { auth: b64('user:pass:word') };

  it.each<[string, object, object | undefined]>([
    ['r.example/a/b:1', { 'r.example': auth }, { username: 'user', password: 'pass:word', serveraddress: 'r.example' }],
    [
      'r.example/a',
      { 'https://r.example/v1/': auth },
      { username: 'user', password: 'pass:word', serveraddress: 'https://r.example/v1/' },
    ],
    [
      'r.example/a',
      { 'r.example': { username: 'n', password: 'w' } },
      { username: 'n', password: 'w', serveraddress: 'r.example' },
    ],
    ['localhost/a', { localhost: auth }, { username: 'user', password: 'pass:word', serveraddress: 'localhost' }],
    [
      'r.example:5000/a',
      { 'r.example:5000': auth },
      { username: 'user', password: 'pass:word', serveraddress: 'r.example:5000' },
    ],
    [
      'busybox',
      { 'https://index.docker.io/v1/': auth },
      { username: 'user', password: 'pass:word', serveraddress: 'https://index.docker.io/v1/' },
    ],
    [
      'team/app',
      { 'https://index.docker.io/v1/': auth },
      { username: 'user', password: 'pass:word', serveraddress: 'https://index.docker.io/v1/' },
    ],
    // Never to another registry than the one they are for.
    ['r.example:5000/a', { 'r.example': auth }, undefined],
    ['evil.example/r.example/a', { 'r.example': auth }, undefined],
    ['r.example.evil/a', { 'r.example': auth }, undefined],
    ['busybox', { 'r.example': auth }, undefined],
  ])('for %s from %j', async (image, auths, expected) => {
    const { images, pulled } = harness();
    await images.ensure(image, 'Always', [secretFor(auths)], signal);
    expect(pulled).toEqual([{ image, auth: expected }]);
  });

  it('are looked for in every Secret; one that cannot be read hides none', async () => {
    const { images, pulled } = harness();
    const secrets: Secret[] = [
      { metadata: { name: 'empty' }, data: null },
      { metadata: { name: 'bad' }, data: { '.dockerconfigjson': b64('{') } },
      secretFor({ 'other.example': auth }),
      secretFor({ 'r.example': auth }),
    ];
    await images.ensure('r.example/a', 'Always', secrets, signal);
    expect(pulled[0]?.auth).toMatchObject({ username: 'user' });
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
    expect(wait.message).toBe('cannot pull image "i:1": manifest unknown');
    const later = backingOff(wait, 'i:1');
    expect(later).toMatchObject({ reason: 'ImagePullBackOff', retryAt: wait.retryAt, delayMs: wait.delayMs });
    expect(later.message).toMatch(/^back-off pulling image "i:1".*manifest unknown/);
    expect(backingOff(later, 'i:1')).toBe(later);
  });
});
