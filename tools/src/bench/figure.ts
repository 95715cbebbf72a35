import type { Point } from './statistics.ts';

/** One measured value; `group` and `name` together are its name. */
export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
}

/** How many pods had come to a step by when, for the plot. */
export interface Curve {
  readonly panel: string;
  readonly name: string;
  readonly points: readonly Point[];
}

/** What one run gives. */
export interface Measured {
  readonly figures: Figure[];
  readonly curves: Curve[];
}
