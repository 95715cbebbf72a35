import { createAccessReview } from './access-review.ts';
import { startFakeCluster, type FakeCluster } from './testing/fake-cluster.ts';
import { createTokenReview } from './token-review.ts';

const tokenReviews = 'POST /apis/authentication.k8s.io/v1/tokenreviews';
const accessReviews = 'POST /apis/authorization.k8s.io/v1/subjectaccessreviews';
const { signal } = new AbortController();

let cluster: FakeCluster;
let now = 0;
beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(() => cluster.stop());
const count = (name: string) => cluster.received.get(name)?.length ?? 0;

describe('token review', () => {
  const user = { username: 'system:serviceaccount:mon:prom', uid: 'u', groups: ['g'], extra: { pod: ['p'] } };
  const known = { name: user.username, uid: 'u', groups: ['g'], extra: { pod: ['p'] } };

  it('asks the cluster once a minute for a good token, and each time for another', async () => {
    cluster.replies.set(tokenReviews, (body) => {
      const { token } = (body as { spec: { token: string } }).spec;
      return [201, { status: token === 'good' ? { authenticated: true, user } : { error: 'no such token' } }];
    });
    const review = createTokenReview(cluster.client, () => now);
    expect([await review('good', signal), await review('good', signal)]).toEqual([known, known]);
    expect(cluster.received.get(tokenReviews)).toEqual([
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'good' } },
    ]);
    now += 60_000;
    await review('good', signal);
    expect(count(tokenReviews)).toBe(2);
    expect([await review('bad', signal), await review('bad', signal)]).toEqual([undefined, undefined]);
    expect(count(tokenReviews)).toBe(4);
  });

  it('knows nobody while the cluster cannot be asked', async () => {
    const review = createTokenReview(cluster.client, () => now);
    await expect(review('good', signal)).rejects.toMatchObject({ code: 'Unavailable' });
    cluster.replies.set(tokenReviews, () => [201, { status: { authenticated: 'yes' } }]);
    await expect(review('good', signal)).rejects.toMatchObject({ code: 'Unavailable' });
    cluster.replies.set(tokenReviews, () => [201, { status: { authenticated: true, user: {} } }]);
    expect(await review('good', signal)).toBeUndefined();
  });
});

describe('access review', () => {
  const alice = { name: 'alice', uid: 'u', groups: ['g'], extra: { k: ['v'] } };
  const access = { verb: 'get', resource: 'nodes', name: 'n1', subresource: 'proxy' } as const;

  it('asks what the kubelet asks, and remembers the verdict for ten seconds', async () => {
    let allowed = true;
    cluster.replies.set(accessReviews, () => [201, { status: { allowed, reason: 'because' } }]);
    const review = createAccessReview(cluster.client, () => now);
    expect(await review(alice, access, signal)).toEqual({ allowed: true, reason: 'because' });
    expect(cluster.received.get(accessReviews)).toEqual([
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'alice',
          uid: 'u',
          groups: ['g'],
          extra: { k: ['v'] },
          resourceAttributes: { verb: 'get', version: 'v1', resource: 'nodes', name: 'n1', subresource: 'proxy' },
        },
      },
    ]);
    allowed = false;
    expect((await review(alice, access, signal)).allowed).toBe(true);
    expect((await review({ ...alice, groups: [] }, access, signal)).allowed).toBe(false);
    expect((await review(alice, { ...access, verb: 'create' }, signal)).allowed).toBe(false);
    now += 10_000;
    expect((await review(alice, access, signal)).allowed).toBe(false);
  });

  it('refuses what the cluster denies, and fails when it cannot be asked', async () => {
    const review = createAccessReview(cluster.client, () => now);
    await expect(review(alice, access, signal)).rejects.toMatchObject({ code: 'Unavailable' });
    cluster.replies.set(accessReviews, () => [201, { status: { allowed: true, denied: true } }]);
    expect((await review(alice, access, signal)).allowed).toBe(false);
  });
});
