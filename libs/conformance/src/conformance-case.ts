import type { Leg } from '@interlink/contract';
import type { CaseContext } from './case-context.ts';

export const profiles = ['core', 'extensions', 'classic'] as const;

/**
 * `core`: interLink's own endpoints, as exactly as ours keep them. `extensions`: what is found by `/capabilities`.
 * `classic`: only what interLink's own plugins promise.
 */
export type CaseProfile = (typeof profiles)[number];

/** One row of the suite. `run` throws Failure, or Skip where the row does not apply. */
export interface ConformanceCase {
  /** `<section>.<name>` */
  readonly id: string;
  readonly title: string;
  readonly section: string;
  readonly profile: CaseProfile;
  /** The only leg where it has a meaning; default both. */
  readonly leg?: Leg;
  /** Skipped where `/capabilities` says that the target has not got it. */
  readonly needs?: 'events' | 'expandEnv' | 'exec' | 'attach' | 'portForward' | 'stats';
  run(context: CaseContext): Promise<void>;
}

type SectionCase = Omit<ConformanceCase, 'section' | 'profile' | 'id'> & { readonly name: string };

export function section(title: string, profile: CaseProfile, cases: readonly SectionCase[]): ConformanceCase[] {
  return cases.map(({ name, ...rest }) => ({ ...rest, id: `${title}.${name}`, section: title, profile }));
}
