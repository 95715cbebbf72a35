export { cases } from './cases/index.ts';
export type { CaseContext, Target } from './case-context.ts';
export type { CaseProfile, ConformanceCase } from './conformance-case.ts';
export { toJunit } from './junit.ts';
export { resultSchema, type Result, type Row } from './result.ts';
export { runSuite, TargetError, type SuiteOptions } from './suite.ts';
export { formatRow, formatSummary, isSuccess } from './table.ts';
export type { FeatureTarget } from './features/feature-context.ts';
export {
  featureResultSchema,
  runFeatures,
  selectRows,
  sourceHash,
  type FeatureOptions,
  type FeatureResult,
} from './features/run-features.ts';
