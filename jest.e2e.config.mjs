import { project } from './jest.config.mjs';

/**
 * End-to-end suites: real control plane, real engine, our services as processes. `timing` holds those that measure and
 * run alone, `slow` those that are too long for every commit; INTERLINK_E2E names one of the two.
 */
const part = process.env.INTERLINK_E2E;

export default {
  ...project('e2e', '.', [`<rootDir>/e2e/${part ? `${part}/` : ''}*.spec.ts`]),
  testTimeout: 180_000,
  // They mostly wait, and share one engine; what measures has the machine for itself.
  maxWorkers: part ? 1 : 2,
};
