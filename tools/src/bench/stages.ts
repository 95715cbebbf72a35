import { setTimeout as sleep } from 'node:timers/promises';
import { step } from '@interlink/testbed';
import { z } from 'zod';
import type { BenchWorld } from './bench-world.ts';
import type { HelperProcess } from './helper-process.ts';
import type { BenchOptions } from './options.ts';
import type { Counts, Usages } from './snapshots.ts';

const times = z.array(z.number());
const createdSchema = z.object({ createdAt: times, runningAt: times });
const deletedSchema = z.object({ startedAt: z.number(), deletedAt: times });
const rawSchema = z.object({ startedAt: z.number(), runningAt: times });

export type Created = z.infer<typeof createdSchema>;
export type Deleted = z.infer<typeof deletedSchema>;

/** All that one run saw, before any arithmetic. Times are ms since the epoch. */
export interface Observed {
  readonly single: Created;
  /** The first batch: deleted while it runs. */
  readonly created: Created;
  readonly deleted: Deleted;
  /** The second: ended first. */
  readonly createdAgain: Created;
  readonly ended: { readonly askedAt: number; readonly endedAt: number[] };
  readonly deletedAfterEnd: Deleted;
  readonly raw: z.infer<typeof rawSchema>;
  readonly counts: Record<'start' | 'idle' | 'idled' | 'deleted' | 'ended', Counts>;
  /** What each process had used before and after a stage. */
  readonly usages: Record<'create' | 'delete' | 'end' | 'raw', readonly [before: Usages, after: Usages]>;
  /** At the end of the chain. */
  readonly peaks: Usages;
}

export interface StageContext {
  readonly options: BenchOptions;
  readonly world: BenchWorld;
  readonly driver: HelperProcess;
  readonly startRaw: () => Promise<HelperProcess>;
  readonly count: () => Promise<Counts>;
  readonly use: (helper: HelperProcess) => Promise<Usages>;
}

const singles = 20;
/** What a stage still causes when its last pod is seen (Events, the spool) is over by then. */
const settleMs = 5_000;

/** The longest that one stage may take. */
export function stageTimeoutMs({ pods, backend, delayMs }: BenchOptions): number {
  return 60_000 + delayMs + pods * (backend === 'stub' ? 100 : 3_000);
}

export async function runStages({ options, world, driver, startRaw, count, use }: StageContext): Promise<Observed> {
  const { pods, idleSeconds } = options;
  const timeoutMs = stageTimeoutMs(options);
  const create = (batch: string) =>
    step(`${pods} pods to Running`, () => driver.ask({ do: 'create', batch, count: pods }, createdSchema, timeoutMs));
  const remove = (batch: string, what: string) =>
    step(`deleting ${pods} pods ${what}`, () =>
      driver.ask({ do: 'delete', batch, count: pods }, deletedSchema, timeoutMs),
    );

  const watched = async <T>(helper: HelperProcess, work: () => Promise<T>) => {
    const before = await use(helper);
    const result = await work();
    return { result, usage: [before, await use(helper)] as const };
  };

  const single = await step(`${singles} pods, one after the other`, () =>
    driver.ask({ do: 'oneByOne', batch: 'one', count: singles }, createdSchema, timeoutMs),
  );
  await driver.ask({ do: 'delete', batch: 'one', count: singles }, deletedSchema, timeoutMs);
  await sleep(settleMs);

  const countsAtStart = await count();
  const created = await watched(driver, () => create('run'));
  await sleep(settleMs);
  const countsBeforeIdle = await count();
  await step(`counting requests for ${idleSeconds} s while all idle`, () => sleep(idleSeconds * 1000));
  const countsAfterIdle = await count();
  const deleted = await watched(driver, () => remove('run', 'that run'));
  await sleep(settleMs);
  const countsDeleted = await count();

  const createdAgain = await create('end');
  await sleep(settleMs);
  const ends = driver.ask({ do: 'awaitEnds', batch: 'end', count: pods }, z.object({ endedAt: times }), timeoutMs);
  const ended = await watched(driver, () =>
    step(`the end of ${pods} pods at once`, async () => {
      const [askedAt, { endedAt }] = await Promise.all([world.endAllPods(), ends]);
      return { askedAt, endedAt };
    }),
  );
  await sleep(settleMs);
  const countsEnded = await count();
  const deletedAfterEnd = await remove('end', 'that have ended');
  const peaks = await use(driver);
  await step('stopping the chain', () => world.chain.stop());
  const raw = await step(`${pods} pods to Running by one bare client`, async () => {
    const helper = await startRaw();
    try {
      await helper.ask({ do: 'prepare' }, z.unknown(), timeoutMs);
      const done = await watched(helper, () =>
        helper.ask({ do: 'create', batch: 'raw', count: pods }, rawSchema, timeoutMs),
      );
      await helper.ask({ do: 'delete', batch: 'raw', count: pods }, z.unknown(), timeoutMs);
      return done;
    } finally {
      await helper.stop();
    }
  });
  return {
    single,
    created: created.result,
    deleted: deleted.result,
    createdAgain,
    ended: ended.result,
    deletedAfterEnd,
    raw: raw.result,
    counts: {
      start: countsAtStart,
      idle: countsBeforeIdle,
      idled: countsAfterIdle,
      deleted: countsDeleted,
      ended: countsEnded,
    },
    usages: { create: created.usage, delete: deleted.usage, end: ended.usage, raw: raw.usage },
    peaks,
  };
}
