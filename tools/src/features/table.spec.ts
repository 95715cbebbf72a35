import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { selectRows, sourceHash } from '@interlink/conformance';
import { featuresSchema, formatFeatures, staleRows, type Features } from './table.ts';

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const again = 'run `npm run features -- --backend NAME` on the backend';

describe('the feature table', () => {
  let features: Features;
  beforeAll(async () => {
    features = featuresSchema.parse(JSON.parse(await readFile(file('libs/conformance/features.json'), 'utf8')));
  });

  it(`has no row that stands as passed and has changed since; else ${again}`, async () => {
    expect(await staleRows(features, sourceHash)).toEqual([]);
  });

  it(`stands in the README as it was measured; else ${again}`, async () => {
    const cells = (text: string) => text.split('\n').map((line) => line.replace(/\s+/g, ' ').replace(/-{3,}/g, '---'));
    const readme = new Set(cells(await readFile(file('README.md'), 'utf8')));
    expect(cells(formatFeatures(features)).filter((line) => !readme.has(line))).toEqual([]);
  });

  it('sees a row that has changed, and one that is gone', async () => {
    const [row] = selectRows();
    const result = { id: row?.id ?? '', title: '', outcome: 'passed', hash: 'old', ms: 1 } as const;
    const column = { commit: 'c', date: 'd', rows: [result, { ...result, id: 'gone.row' }] };
    expect(await staleRows({ docker: column }, () => Promise.resolve('new'))).toEqual([
      `docker: ${row?.id}`,
      'docker: gone.row',
    ]);
    expect(await staleRows({ docker: { ...column, rows: [result] } }, () => Promise.resolve('old'))).toEqual([]);
  });

  it('has ids that are different from each other', () => {
    const ids = selectRows().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
