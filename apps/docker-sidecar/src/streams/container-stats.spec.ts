import { at, makeFact } from '../testing/jobs.ts';
import { containerStats, networkStats } from './container-stats.ts';

const fact = makeFact({ name: 'main' });
const measured = (stats: object) => ({
  cpu_stats: { cpu_usage: { total_usage: 5_000_000 }, online_cpus: 2 },
  memory_stats: { usage: 1000, limit: 4000, stats },
});

describe('containerStats', () => {
  it.each([
    ['cgroup v2', { inactive_file: 300, anon: 600 }, { memoryWorkingSetBytes: 700, memoryRssBytes: 600 }],
    ['cgroup v1', { total_inactive_file: 200, total_rss: 500 }, { memoryWorkingSetBytes: 800, memoryRssBytes: 500 }],
    ['no more cache than usage', { inactive_file: 3000 }, { memoryWorkingSetBytes: 0 }],
    ['no details', {}, { memoryWorkingSetBytes: 1000 }],
  ])('%s', (_, stats, expected) => {
    expect(containerStats(fact, measured(stats))).toEqual({
      name: 'main',
      startTime: at(0),
      cpuUsageCoreNanoSeconds: 5_000_000,
      memoryUsageBytes: 1000,
      ...expected,
    });
  });

  it('of a container that has just ended says what there is', () => {
    expect(containerStats(fact, { cpu_stats: {}, memory_stats: {} })).toEqual({ name: 'main', startTime: at(0) });
    expect(() => containerStats(fact, { memory_stats: { usage: 'much' } })).toThrow();
  });
});

describe('networkStats', () => {
  it('adds up all networks, and says nothing where there is none', () => {
    const networks = { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } };
    expect(networkStats({ networks })).toEqual({ rxBytes: 11, txBytes: 22 });
    expect(networkStats({})).toBeUndefined();
  });
});
