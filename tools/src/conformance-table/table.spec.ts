import type { KeptResult } from './table.ts';
import { formatTable, replaceBetweenMarkers } from './table.ts';

const row = (id: string, outcome: 'passed' | 'failed' | 'skipped') =>
  ({ id, title: `about ${id} | more`, section: 's', profile: 'core', outcome, ms: 1 }) as const;
const result: KeptResult = {
  ...{ endpoint: 'unix:///s', leg: 'sidecar', profile: 'full', startedAt: '2026-01-02T03:04:05Z', commit: 'abc-dirty' },
  ...{ passed: 1, failed: 1, skipped: 0, leftovers: [], rows: [row('a', 'passed'), row('b', 'failed')] },
};

it('has a cell for each row and column, empty where nothing was run', () => {
  const api = { ...result, rows: [row('b', 'skipped'), row('c', 'passed')] };
  const columns = [
    { name: 'process', result },
    { name: 'api', result: api },
    { name: 'image', result: undefined },
  ];
  expect(formatTable(columns).split('\n')).toEqual([
    '- process: 1 passed, 1 failed, 0 skipped, at `abc-dirty` on 2026-01-02',
    '- api: 1 passed, 1 failed, 0 skipped, at `abc-dirty` on 2026-01-02',
    '- image: not run yet',
    '',
    '| row | what it proves | process | api | image |',
    '| --- | --- | --- | --- | --- |',
    '| `a` | about a \\| more | passed |  |  |',
    '| `b` | about b \\| more | failed | skipped |  |',
    '| `c` | about c \\| more |  | passed |  |',
  ]);
});

it('replaces what stands between the markers, and nothing else', () => {
  const [start, end] = ['<!-- conformance:start -->', '<!-- conformance:end -->'];
  const once = replaceBetweenMarkers(`before\n${start}\nold\n${end}\nafter`, 'T', 'conformance');
  expect(once).toBe(`before\n${start}\n\nT\n\n${end}\nafter`);
  expect(replaceBetweenMarkers(once ?? '', 'T', 'conformance')).toBe(once);
  expect(replaceBetweenMarkers(`${end} ${start}`, 'T', 'conformance')).toBeUndefined();
});
