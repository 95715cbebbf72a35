import { classicOwner, parseOwner, sessionOf } from './headers.ts';

const clusterUid = '6f0c1b1e-0000-4000-8000-000000000001';

describe('parseOwner', () => {
  it.each([`${clusterUid}/node-a`, `${clusterUid}/a.b.example`, clusterUid, classicOwner, `c/${'n'.repeat(253)}`])(
    'takes %s',
    (owner) => expect(parseOwner(owner)).toBe(owner),
  );

  it.each([
    '',
    '/node',
    'c/',
    'c/n/m',
    'c/Node',
    'c/-n',
    'c/n-',
    '-c',
    '../c',
    'c/..',
    'a b',
    'c/n\n',
    'c\u00e9',
    `${'c'.repeat(129)}/n`,
    `c/${'n'.repeat(254)}`,
  ])('refuses %j', (owner) => {
    expect(() => parseOwner(owner)).toThrow(expect.objectContaining({ code: 'Malformed' }) as Error);
  });
});

describe('sessionOf', () => {
  it.each(['CreatePod#4711', 'Request-1', 'x'.repeat(128)])('keeps %s', (id) => expect(sessionOf(id)).toBe(id));

  it.each([undefined, '', 'a b', 'a\nb', 'é', 'x'.repeat(129), ['a', 'b']])('replaces %j by a new one', (header) => {
    const [one, other] = [sessionOf(header), sessionOf(header)];
    expect(one).toMatch(/^Request-[0-9a-f-]{36}$/);
    expect(other).not.toBe(one);
  });
});
