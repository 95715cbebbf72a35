import { packageFolder } from './third-party-notices.ts';

it.each([
  ['node_modules/express/index.js', 'node_modules/express'],
  ['node_modules/@a/b/lib/c.js', 'node_modules/@a/b'],
  ['node_modules/a/node_modules/@b/c/d.js', 'node_modules/a/node_modules/@b/c'],
  ['libs/contract/src/index.ts', undefined],
])('%s belongs to %s', (file, folder) => {
  expect(packageFolder(file)).toBe(folder);
});
