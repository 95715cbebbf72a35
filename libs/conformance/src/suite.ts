import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { capabilitiesSchema, ownerHeader, routes, type Capabilities, type Leg } from '@interlink/contract';
import { CaseContext, type Shared, type Target } from './case-context.ts';
import { cases } from './cases/index.ts';
import { Failure, show, Skip } from './check.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { CreatedPods } from './created-pods.ts';
import { parseJson } from './parse-json.ts';
import { Peer, type Answer, type PeerOptions } from './peer.ts';
import type { Result, Row } from './result.ts';

export interface SuiteOptions extends PeerOptions {
  /** Which side of the contract the target speaks: a sidecar's (default), or an API's in front of one. */
  readonly leg?: Leg;
  /** Default `auto`: `classic` where GET /capabilities answers 404, else `full`. */
  readonly profile?: 'full' | 'classic' | 'auto';
  /** A runnable image with `sh` and the usual small tools; default busybox:1.35. */
  readonly image?: string;
  /** For whom the pods are created; default a random one. */
  readonly owner?: string;
  /** Only these rows: ids, sections, `core` or `extensions`; default all of the profile. */
  readonly only?: readonly string[];
  /** Deadline of one row in ms; default 60 s. A busy batch system needs more. */
  readonly timeoutMs?: number;
  /** Told of each row as it ends. */
  readonly onRow?: (row: Row) => void;
  /** Ends the run early: the row under way fails, the others are skipped, what was created is deleted. */
  readonly signal?: AbortSignal;
}

/** The target cannot be tested at all: it does not answer, or not to these credentials. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}

const defaults = { leg: 'sidecar', image: 'busybox:1.35', timeoutMs: 60_000 } as const;
/** How long a row that has been told to end may take to say why it did not get on. */
const lastWordMs = 2_000;

/** Runs the suite against one target. @throws TargetError */
export async function runSuite(options: SuiteOptions): Promise<Result> {
  const { leg, image, timeoutMs, signal } = { signal: new AbortController().signal, ...defaults, ...options };
  const peer = new Peer(options);
  const owner = options.owner ?? `conformance-${randomBytes(6).toString('hex')}/suite`;
  const startedAt = new Date().toISOString();
  const { isClassic, said: capabilities } = await askCapabilities(() =>
    peer.send({
      method: 'GET',
      path: routes.capabilities.path,
      headers: { [ownerHeader]: owner },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }),
  );
  const { profile: asked = 'auto' } = options;
  const profile = asked === 'auto' ? (isClassic ? 'classic' : 'full') : asked;
  const otherOwner = `conformance-${randomBytes(6).toString('hex')}/other`;
  const target: Target = { peer, leg, image, owner, otherOwner, capabilities };
  const shared: Shared = { pods: new CreatedPods(peer, leg), made: new Map() };

  const rows: Row[] = [];
  const leftovers: string[] = [];
  for (const one of selectCases(profile, options.only)) {
    const created = new CreatedPods(peer, leg);
    const row = await runCase(one, target, { created, shared, timeoutMs, signal });
    leftovers.push(...(await created.deleteAll()));
    rows.push(row);
    options.onRow?.(row);
  }
  leftovers.push(...(await shared.pods.deleteAll()));
  const count = (outcome: Row['outcome']) => rows.filter((row) => row.outcome === outcome).length;
  return {
    endpoint: options.endpoint,
    leg,
    profile,
    ...(capabilities === undefined ? {} : { server: capabilities.server }),
    startedAt,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    rows,
    leftovers,
  };
}

/** The rows that a run with these options has. `only` may name ids, sections, `core` and `extensions`. */
export function selectCases(profile: 'full' | 'classic', only?: readonly string[]): ConformanceCase[] {
  const inProfile = cases.filter((one) => (one.profile === 'classic') === (profile === 'classic'));
  return inProfile.filter((one) => only === undefined || only.some((name) => isNamed(one, name)));
}

export function isNamed({ id, section, profile }: ConformanceCase, name: string): boolean {
  return name === id || name === section || name === profile;
}

interface CaseRun {
  readonly created: CreatedPods;
  readonly shared: Shared;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function runCase(one: ConformanceCase, target: Target, run: CaseRun): Promise<Row> {
  const { id, title, section, profile } = one;
  const start = performance.now();
  const row = (outcome: Row['outcome'], reason?: string): Row => ({
    ...{ id, title, section, profile, outcome },
    ...(reason === undefined ? {} : { reason }),
    ms: Math.round(performance.now() - start),
  });
  const notApplicable = run.signal.aborted ? 'interrupted' : whySkipped(one, target);
  if (notApplicable !== undefined) return row('skipped', notApplicable);

  const deadline = AbortSignal.timeout(run.timeoutMs);
  const signal = AbortSignal.any([run.signal, deadline]);
  const context = new CaseContext(target, { id, signal, created: run.created, shared: run.shared });
  const over = new AbortController();
  try {
    await Promise.race([one.run(context), overdue(signal, over.signal)]);
    return row('passed', context.note);
  } catch (thrown) {
    if (thrown instanceof Skip) return row('skipped', thrown.message);
    const late = run.signal.aborted ? 'interrupted: ' : deadline.aborted ? `after ${run.timeoutMs / 1000} s: ` : '';
    return row('failed', late + messageOf(thrown));
  } finally {
    over.abort();
    context.close();
  }
}

/** Fails a while after the deadline, for a row that does not end by itself. */
async function overdue(signal: AbortSignal, over: AbortSignal): Promise<never> {
  if (!signal.aborted)
    await new Promise((resolve) => AbortSignal.any([signal, over]).addEventListener('abort', resolve));
  await sleep(lastWordMs, undefined, { signal: over });
  throw new Failure('the row was not done');
}

function whySkipped({ leg, needs }: ConformanceCase, target: Target): string | undefined {
  if (leg !== undefined && leg !== target.leg) return `only for ${leg === 'api' ? 'an API' : 'a sidecar'}`;
  const { capabilities } = target;
  if (needs === undefined || capabilities === undefined || capabilities.features[needs] === true) return undefined;
  return `/capabilities says features.${needs}: ${capabilities.features[needs] ?? 'nothing'}`;
}

/** Undefined at a classic plugin, and where a row of its own will say what is wrong with the answer. */
async function askCapabilities(ask: () => Promise<Answer>): Promise<{ isClassic: boolean; said?: Capabilities }> {
  const answer = await ask().catch((cause: unknown) => {
    throw new TargetError(`the target does not answer: ${messageOf(cause)}`, { cause });
  });
  const { status, text } = answer;
  const advice = status === 401 || status === 403 ? ': give it credentials, or an owner that they may act for' : '';
  if (advice !== '' || status >= 500) throw new TargetError(`the target answers ${status} ${show(text)}${advice}`);
  const parsed = capabilitiesSchema.safeParse(parseJson(text));
  return { isClassic: status === 404, ...(status === 200 && parsed.success ? { said: parsed.data } : {}) };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}
