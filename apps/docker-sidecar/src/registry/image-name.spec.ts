import { parseImageName } from './image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;

it.each([
  ['busybox', 'busybox:latest', 'docker.io/library/busybox'],
  ['busybox:1.35', 'busybox:1.35', 'docker.io/library/busybox'],
  ['team/app', 'team/app:latest', 'docker.io/team/app'],
  ['docker.io/busybox', 'docker.io/busybox:latest', 'docker.io/library/busybox'],
  ['index.docker.io/team/app:1', 'index.docker.io/team/app:1', 'docker.io/team/app'],
  ['r.example:5000/a/b__c', 'r.example:5000/a/b__c:latest', 'r.example:5000/a/b__c'],
  ['localhost/a', 'localhost/a:latest', 'localhost/a'],
  ['[fd00::1]:5000/a:1', '[fd00::1]:5000/a:1', '[fd00::1]:5000/a'],
  [`r.example/a@${digest}`, `r.example/a@${digest}`, 'r.example/a'],
  [`r.example/a:1@${digest}`, `r.example/a:1@${digest}`, 'r.example/a'],
  // An image's id is no name: it must not open what came by another.
  [`sha256:${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`, 'docker.io/library/sha256'],
  ['abcdef012345', 'abcdef012345:latest', 'docker.io/library/abcdef012345'],
])('%s', (image, reference, repository) => {
  expect(parseImageName(image)).toEqual({ reference, repository });
});

it.each([
  ['', 'invalid reference format'],
  ['a b', 'invalid reference format'],
  ['-a', 'invalid reference format'],
  ['a:', 'invalid reference format'],
  ['a:b:c', 'invalid reference format'],
  ['a@sha256:1', 'invalid reference format'],
  ['r.example//a', 'invalid reference format'],
  ['https://r.example/a', 'invalid reference format'],
  ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
  ['r.example/Team/app', 'invalid reference format: repository name (Team/app) must be lowercase'],
  ['a'.repeat(64), `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
])('"%s" can never be pulled', (image, why) => {
  expect(() => parseImageName(image)).toThrow(
    `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`,
  );
});
