import { project } from './jest.config.mjs';

/** End-to-end suites: real control plane, real engine, our services as processes of their own. */
export default {
  ...project('e2e', '.', ['<rootDir>/e2e/**/*.spec.ts']),
  testTimeout: 180_000,
};
