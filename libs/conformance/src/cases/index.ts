import { classicCases } from './classic.ts';
import { contentCases } from './content.ts';
import { createCases } from './create.ts';
import { deleteCases } from './delete.ts';
import { eventCases } from './events.ts';
import { expandEnvCases } from './expand-env.ts';
import { httpCases, httpExtensionCases } from './http.ts';
import { idempotencyCases, tombstoneCases } from './idempotency.ts';
import { logCases, logExtensionCases } from './logs.ts';
import { manyStatusesCases, slowReaderCases } from './many-pods.ts';
import { malformedCases } from './malformed.ts';
import { ownerCases } from './owners.ts';
import { pingCases } from './ping.ts';
import { refusalCases } from './refusal.ts';
import { serviceCases } from './service.ts';
import { statusCases } from './status.ts';
import { streamCases } from './streams.ts';
import type { ConformanceCase } from '../conformance-case.ts';

/** All rows, in the order in which they run. */
export const cases: readonly ConformanceCase[] = [
  ...pingCases,
  ...createCases,
  ...statusCases,
  ...logCases,
  ...deleteCases,
  ...contentCases,
  ...httpCases,
  ...serviceCases,
  ...idempotencyCases,
  ...tombstoneCases,
  ...ownerCases,
  ...logExtensionCases,
  ...httpExtensionCases,
  ...eventCases,
  ...expandEnvCases,
  ...streamCases,
  ...refusalCases,
  ...malformedCases,
  ...manyStatusesCases,
  ...slowReaderCases,
  ...classicCases,
];
