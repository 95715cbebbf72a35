import { logOptionsOf } from './log-options.ts';

const of = (query: string) => logOptionsOf(new URLSearchParams(query));

it('reads what the API server sends', () => {
  expect(of('')).toEqual({
    Tail: 0,
    Bytes: 0,
    Timestamps: false,
    Follow: false,
    Previous: false,
    SinceSeconds: 0,
    SinceTime: '0001-01-01T00:00:00Z',
  });
  expect(of('follow=true&previous=1&timestamps=&tailLines=20&limitBytes=1&sinceSeconds=60')).toMatchObject({
    Follow: true,
    Previous: true,
    Timestamps: true,
    Tail: 20,
    TailLines: 20,
    Bytes: 1,
    SinceSeconds: 60,
  });
  expect(of('follow=0&previous=False&stream=All&sinceTime=2030-01-31T12:00:00%2B01:00')).toMatchObject({
    Follow: false,
    Previous: false,
    SinceTime: '2030-01-31T12:00:00+01:00',
  });
});

it('tells no lines at all from all lines', () => {
  expect(of('tailLines=0')).toMatchObject({ Tail: 0, TailLines: 0 });
  expect(of('')).not.toHaveProperty('TailLines');
});

it.each([
  ['tailLines=-1', 'tailLines: invalid value "-1": must be greater than or equal to 0'],
  ['tailLines=', 'tailLines: invalid value "": must be a whole number'],
  ['tailLines=1.5', 'must be a whole number'],
  ['tailLines=0x10', 'must be a whole number'],
  ['tailLines=99999999999999999999', 'must be a whole number'],
  ['limitBytes=0', 'limitBytes: invalid value "0": must be greater than 0'],
  ['sinceSeconds=0', 'sinceSeconds: invalid value "0": must be greater than 0'],
  ['sinceSeconds=-5', 'must be greater than 0'],
  ['sinceTime=yesterday', 'sinceTime: invalid value "yesterday"'],
  ['sinceTime=2030-13-40T00:00:00Z', 'must be a time'],
  ['sinceTime=2030-01-31T12:00:00Z&sinceSeconds=5', 'at most one of sinceTime or sinceSeconds may be specified'],
  ['stream=Stderr', 'stream: invalid value "Stderr"'],
])('refuses %s', (query, message) => {
  expect(() => of(query)).toThrow(expect.objectContaining({ code: 'Malformed' }) as Error);
  expect(() => of(query)).toThrow(message);
});
