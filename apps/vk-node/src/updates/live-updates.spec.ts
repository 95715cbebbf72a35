import { jest } from '@jest/globals';
import { InterlinkError, podSchema, type Pod, type UpdateRequest } from '@interlink/contract';
import { KubeError } from '@interlink/kube';
import type { z } from 'zod';
import type { SentContent } from '../pods/create-request.ts';
import { LiveUpdates } from './live-updates.ts';

const silent = { info: () => undefined, warn: () => undefined, debug: () => undefined };
const hour = 3_600_000;

/** A cluster of objects that count their reads, a site that remembers its updates, and time that passes when told to. */
class Stage {
  readonly objects = new Map<string, Record<string, unknown>>();
  readonly reads: string[] = [];
  readonly tokens: { readonly at: number; readonly body: unknown }[] = [];
  readonly sent: UpdateRequest[] = [];
  failure: InterlinkError | undefined;
  offered = true;
  up = true;
  readonly #stop = new AbortController();
  readonly updates: LiveUpdates;
  readonly #run: Promise<void>;

  constructor() {
    jest.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
    const { offered, up } = { offered: () => this.offered, up: () => this.up };
    const client = {
      get: <T>({ path, schema }: { path: string; schema: z.ZodType<T> }): Promise<T> => {
        this.reads.push(path);
        const found = this.objects.get(path);
        if (found === undefined) return Promise.reject(new KubeError(path, { status: 404, reason: 'NotFound' }));
        return Promise.resolve(schema.parse(found));
      },
      create: <T>({ body, schema }: { body: unknown; schema: z.ZodType<T> }): Promise<T> => {
        this.tokens.push({ at: Date.now(), body });
        const expirationTimestamp = new Date(Date.now() + hour).toISOString();
        return Promise.resolve(schema.parse({ status: { token: `token-${this.tokens.length}`, expirationTimestamp } }));
      },
    };
    this.updates = new LiveUpdates({
      api: {
        update: (request: UpdateRequest) => {
          if (this.failure) return Promise.reject(this.failure);
          this.sent.push(request);
          return Promise.resolve();
        },
      },
      client,
      link: {
        get state() {
          return up() ? ({ state: 'up', site: 's' } as const) : ({ state: 'siteUnavailable', message: 'm' } as const);
        },
        get capabilities() {
          const features = { events: true, expandEnv: true, update: offered() };
          return { contract: '1' as const, server: 's/1', site: 's', kind: 'k', features };
        },
      },
      owner: 'c/n',
      nodeName: 'n',
      allocatable: () => undefined,
      serviceEnv: undefined,
      intervalMs: 60_000,
      log: silent,
      now: Date.now,
    });
    this.#run = this.updates.run(this.#stop.signal);
  }

  configMap(name: string, version: string, fields: object = {}): void {
    const metadata = { name, namespace: 'ns', resourceVersion: version };
    this.objects.set(`/api/v1/namespaces/ns/configmaps/${name}`, { metadata, data: { key: `v${version}` }, ...fields });
  }

  async pass(seconds: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(seconds * 1000);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await jest.advanceTimersByTimeAsync(1);
    await this.#run;
    jest.useRealTimers();
  }
}

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.end());

function makePod(uid: string, volumes: object[] = [], fields: { metadata?: object; spec?: object } = {}): Pod {
  return podSchema.parse({
    metadata: { name: `p-${uid}`, namespace: 'ns', uid, labels: { a: '1' }, ...fields.metadata },
    spec: { containers: [{ name: 'main', image: 'one', env: [{ name: 'E', value: 'x' }] }], volumes, ...fields.spec },
  });
}

const configMapVolume = (name: string) => ({ name: `v-${name}`, configMap: { name } });
const tokenVolume = {
  name: 'token',
  projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3607 } }] },
};
const downward = { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } };
const sentWith = (versions: Record<string, string> = {}, tokens: SentContent['tokens'] = []): SentContent => ({
  versions: new Map(Object.entries(versions).map(([name, version]) => [`ConfigMap ns/${name}`, version])),
  tokens,
});

describe('a changed object', () => {
  it('is sent once to every pod that shows it, and read once for all of them', async () => {
    stage.configMap('cm', '1');
    for (const uid of ['a', 'b']) stage.updates.follow(makePod(uid, [configMapVolume('cm')]), sentWith({ cm: '1' }));
    await stage.pass(70);
    expect([stage.reads.length, stage.sent.length]).toEqual([1, 0]);
    stage.configMap('cm', '2');
    await stage.pass(70);
    expect(stage.sent.map(({ pod, configmaps }) => [pod.metadata.uid, configmaps?.[0]?.data])).toEqual([
      ['a', { key: 'v2' }],
      ['b', { key: 'v2' }],
    ]);
    await stage.pass(140);
    expect(stage.sent.length).toBe(2);
    expect(stage.reads.length).toBeLessThanOrEqual(5);
  });

  it('is seen within 90 s among 100, with at most 5 requests a second', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `cm-${index}`);
    for (const name of names) stage.configMap(name, '1');
    for (const name of names) stage.updates.follow(makePod(name, [configMapVolume(name)]), sentWith({ [name]: '1' }));
    await stage.pass(180);
    for (const name of names) stage.configMap(name, '2');
    const before = stage.reads.length;
    await stage.pass(90);
    expect(new Set(stage.sent.map(({ pod }) => pod.metadata.uid)).size).toBe(100);
    expect(stage.reads.length - before).toBeLessThanOrEqual(5 * 90 + 1);
  });

  it('that is immutable is not read a second time, nor one whose pods are gone', async () => {
    stage.configMap('fixed', '1', { immutable: true });
    stage.configMap('cm', '1');
    stage.updates.follow(makePod('a', [configMapVolume('fixed')]), sentWith({ fixed: '1' }));
    stage.updates.follow(makePod('b', [configMapVolume('cm')]), sentWith({ cm: '1' }));
    await stage.pass(70);
    stage.updates.forget('b');
    await stage.pass(300);
    expect(stage.reads.length).toBe(2);
  });

  it('that goes away leaves the pod what it has, until it is back', async () => {
    stage.updates.follow(makePod('a', [configMapVolume('cm')]), sentWith({ cm: '1' }));
    await stage.pass(140);
    expect(stage.sent.every(({ configmaps }) => configmaps === undefined)).toBe(true);
    stage.configMap('cm', '3');
    await stage.pass(70);
    expect(stage.sent.at(-1)?.configmaps?.[0]?.data).toEqual({ key: 'v3' });
  });
});

describe('a token', () => {
  it('is asked for again at 80 % of its life, an hour for 3607 s, bound to the pod', async () => {
    const issued = { volume: 'token', path: 't', audience: undefined, expirationSeconds: 3600, token: 'old' };
    stage.updates.follow(
      makePod('a', [tokenVolume]),
      sentWith({}, [{ ...issued, refreshAt: Date.now() + 0.8 * hour }]),
    );
    await stage.pass(0.8 * 3600 - 1);
    expect(stage.tokens).toEqual([]);
    await stage.pass(2);
    expect(stage.tokens.map(({ body }) => body)).toEqual([
      expect.objectContaining({
        spec: { expirationSeconds: 3600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p-a', uid: 'a' } },
      }),
    ]);
    expect(stage.sent.map(({ projectedvolumesmaps }) => projectedvolumesmaps?.[0]?.data)).toEqual([{ t: 'token-1' }]);
    await stage.pass(0.8 * 3600 + 1);
    expect(stage.sent.at(-1)?.projectedvolumesmaps?.[0]?.data).toEqual({ t: 'token-2' });
  });

  it('of a pod that an earlier life submitted is asked for at once: nobody knows how old it is', async () => {
    stage.updates.follow(makePod('a', [tokenVolume]));
    await stage.pass(1);
    // What it knows by itself it tells at once.
    expect(stage.sent.map(({ projectedvolumesmaps }) => projectedvolumesmaps?.[0]?.data)).toEqual([
      undefined,
      { t: 'token-1' },
    ]);
  });
});

describe('a change of the pod', () => {
  it.each<[string, object[], { metadata?: object; spec?: object }, number]>([
    ['labels that a volume shows', [downward], { metadata: { labels: { a: '2' } } }, 1],
    ['labels that nothing shows', [], { metadata: { labels: { a: '2' } } }, 0],
    ['an image', [], { spec: { containers: [{ name: 'main', image: 'two' }] } }, 1],
    [
      'resources',
      [],
      { spec: { containers: [{ name: 'main', image: 'one', resources: { limits: { cpu: '2' } } }] } },
      1,
    ],
    ['an ephemeral container', [], { spec: { ephemeralContainers: [{ name: 'debug', image: 'i' }] } }, 1],
    ['tolerations', [], { spec: { tolerations: [{ key: 'k' }] } }, 0],
  ])('of %s', async (_, volumes, change, expected) => {
    stage.updates.follow(makePod('a', volumes), sentWith());
    stage.updates.follow(makePod('a', volumes));
    await stage.pass(1);
    expect(stage.sent).toEqual([]);
    stage.updates.follow(makePod('a', volumes, change));
    await stage.pass(1);
    expect(stage.sent.length).toBe(expected);
    if (volumes.length > 0) expect(stage.sent[0]?.projectedvolumesmaps?.[0]?.data).toEqual({ l: 'a="2"' });
    expect(stage.sent.flatMap(({ pod }) => pod.spec?.containers ?? []).some(({ env }) => env)).toBe(false);
    expect(stage.reads).toEqual([]);
  });

  it('resolves the variables of ephemeral containers', async () => {
    stage.configMap('cm', '7');
    const env = [{ name: 'V', valueFrom: { configMapKeyRef: { name: 'cm', key: 'key' } } }];
    stage.updates.follow(makePod('a'), sentWith());
    stage.updates.follow(makePod('a', [], { spec: { ephemeralContainers: [{ name: 'debug', image: 'i', env }] } }));
    await stage.pass(1);
    expect(stage.sent[0]?.pod.spec?.ephemeralContainers?.[0]?.env).toEqual([{ name: 'V', value: 'v7' }]);
  });

  it('waits for a site that is away, and is not sent again to one that refuses it', async () => {
    stage.updates.follow(makePod('a'), sentWith());
    stage.up = false;
    stage.updates.follow(makePod('a', [], { spec: { containers: [{ name: 'main', image: 'two' }] } }));
    await stage.pass(100);
    expect(stage.sent).toEqual([]);
    stage.up = true;
    stage.updates.siteBack();
    await stage.pass(1);
    expect(stage.sent.length).toBe(1);
    stage.failure = new InterlinkError('Invalid', 'no');
    stage.updates.follow(makePod('a', [], { spec: { containers: [{ name: 'main', image: 'three' }] } }));
    await stage.pass(1);
    stage.failure = undefined;
    await stage.pass(600);
    expect(stage.sent.length).toBe(1);
  });

  it('is nothing for a site that takes no updates, and costs no request', async () => {
    stage.offered = false;
    stage.configMap('cm', '1');
    stage.updates.follow(makePod('a', [configMapVolume('cm'), tokenVolume]));
    await stage.pass(600);
    expect([stage.reads, stage.tokens, stage.sent]).toEqual([[], [], []]);
  });
});
