import type { FeatureRow } from '../feature-row.ts';
import { basics } from './basics.ts';
import { environment } from './environment.ts';
import { kubectlRows } from './kubectl.ts';
import { lifecycle } from './lifecycle.ts';
import { network } from './network.ts';
import { probes } from './probes.ts';
import { resources } from './resources.ts';
import { security } from './security.ts';
import { updates } from './updates.ts';
import { volumes } from './volumes.ts';

/** In the order of the table. */
export const rows: readonly FeatureRow[] = [
  ...basics,
  ...environment,
  ...volumes,
  ...updates,
  ...lifecycle,
  ...probes,
  ...resources,
  ...security,
  ...network,
  ...kubectlRows,
];
