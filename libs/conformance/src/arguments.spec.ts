import { help, parseArguments, UsageError } from './arguments.ts';

it.each([
  [[]],
  [['--url', 'http://h:1', '--socket', '/s']],
  [['--url', 'h:1']],
  [['--socket', '/s', '--leg', 'middle']],
  [['--socket', '/s', '--profile', 'core']],
  [['--socket', '/s', '--only', 'no.such']],
  [['--socket', '/s', 'create.object']],
  [['--socket', '/s', '--timeout', '-1']],
  [['--socket', '/s', '--key-file', '/no/such/file']],
  [['--socket', '/s', '--cert', '/c']],
  [['--socket', '/s', '--nonsense']],
])('refuses %j', (args) => {
  expect(() => parseArguments(args)).toThrow(UsageError);
});

it('takes the rows after --only in any form', () => {
  const only = (...args: string[]) => parseArguments(['--socket', '/s', '--only', ...args])?.suite.only;
  expect(only('ping.alive', 'events')).toEqual(['ping.alive', 'events']);
  expect(only('ping.alive,events')).toEqual(['ping.alive', 'events']);
  expect(only('core')).toEqual(['core']);
});

it('has defaults that fit most targets', () => {
  expect(parseArguments(['--url', 'https://h:1'])?.suite).toEqual({
    ...{ endpoint: 'https://h:1', leg: 'sidecar', profile: 'auto', timeoutMs: 60_000 },
  });
});

it('knows --help, which names every option', () => {
  expect(parseArguments(['--help'])).toBeUndefined();
  for (const name of ['url', 'socket', 'leg', 'profile', 'image', 'key-file', 'ca', 'cert', 'key', 'owner', 'only']) {
    expect(help).toContain(`--${name} `);
  }
});
