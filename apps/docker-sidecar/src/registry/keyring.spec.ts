import type { Secret } from '@interlink/contract';
import { credentialsFor } from './keyring.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');
const auth = { auth: b64('user:pass:word') };
const own = { username: 'user', password: 'pass:word' };
const secretOf = (auths: object): Secret => ({
  metadata: { name: 's' },
  data: { '.dockerconfigjson': b64(JSON.stringify({ auths })) },
});

describe('credentials', () => {
  it.each<[string, object, object[]]>([
    ['r.example/a/b', { 'r.example': auth }, [own]],
    ['r.example/a', { 'https://r.example/v1/': auth }, [own]],
    ['r.example/a', { 'http://r.example/v2/': auth }, [own]],
    ['r.example/a', { 'r.example': { username: 'n', password: 'w' } }, [{ username: 'n', password: 'w' }]],
    ['localhost/a', { localhost: auth }, [own]],
    ['r.example:5000/a', { 'r.example:5000': auth }, [own]],
    ['docker.io/library/busybox', { 'https://index.docker.io/v1/': auth }, [own]],
    ['docker.io/team/app', { 'docker.io': auth }, [own]],
    ['r.example/team/app', { 'r.example/team': auth }, [own]],
    ['a.r.example/x', { '*.r.example': auth }, [own]],
    // The more specific first.
    [
      'r.example/team/app',
      { 'r.example': { auth: b64('a:b') }, 'r.example/team': auth },
      [own, { username: 'a', password: 'b' }],
    ],
    // Never to another registry, or another part of it, than what they are for.
    ['r.example/other/app', { 'r.example/team': auth }, []],
    ['r.example:5000/a', { 'r.example': auth }, []],
    ['evil.example/r.example/a', { 'r.example': auth }, []],
    ['r.example.evil/a', { 'r.example': auth }, []],
    ['rxexample/a', { 'r.example': auth }, []],
    ['a.b.r.example/x', { '*.r.example': auth }, []],
    ['docker.io/library/busybox', { 'r.example': auth }, []],
    ['r.example/a', { 'https://index.docker.io/v1/': auth }, []],
  ])('for %s of %j', (repository, auths, expected) => {
    expect(credentialsFor(repository, [secretOf(auths)])).toEqual(expected);
  });

  it('are looked for in every Secret, also of the older kind; one that cannot be read hides none', () => {
    const secrets: Secret[] = [
      { metadata: { name: 'empty' }, data: null },
      { metadata: { name: 'bad' }, data: { '.dockerconfigjson': b64('{') } },
      secretOf({ 'r.example': 'not an object' }),
      { metadata: { name: 'legacy' }, data: { '.dockercfg': b64(JSON.stringify({ 'r.example': auth })) } },
    ];
    expect(credentialsFor('r.example/a', secrets)).toEqual([own]);
  });
});
