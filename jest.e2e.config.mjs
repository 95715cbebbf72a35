import { project } from './jest.config.mjs';

/** End-to-end suites: real control plane, real engine, our services as processes of their own. */
export default {
  ...project('e2e', '.', [
    process.env.INTERLINK_TEST_SLOW ? '<rootDir>/e2e/slow/*.spec.ts' : '<rootDir>/e2e/*.spec.ts',
  ]),
  testTimeout: 180_000,
};
