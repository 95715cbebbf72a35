import { existsSync, readdirSync } from 'node:fs';

/** Every folder of apps/ and libs/ is a jest project of its own, named after the folder. */
const folders = ['apps', 'libs'].flatMap((top) => readdirSync(top).map((name) => `${top}/${name}`));

export const project = (displayName, rootDir, testMatch) => ({
  displayName,
  rootDir,
  testMatch,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
});

export default {
  // Generous: what is slow here is a machine that is busy with something else.
  testTimeout: 30_000,
  projects: [
    ...folders
      .filter((folder) => existsSync(`${folder}/src`))
      .map((folder) => project(folder.split('/')[1], `<rootDir>/${folder}`, ['<rootDir>/src/**/*.spec.ts'])),
    project('tools', '<rootDir>/tools', ['<rootDir>/src/**/*.spec.ts']),
  ],
};
