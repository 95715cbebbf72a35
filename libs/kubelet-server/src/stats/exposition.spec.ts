import { exposition } from './exposition.ts';

it('writes labels so that any text in them can be read back, and leaves out what is not known', () => {
  const labels = { a: 'quote " and \\ and\nline', b: '' };
  const family = { name: 'm', type: 'gauge', help: 'h' } as const;
  expect(
    exposition([
      {
        ...family,
        samples: [
          { labels, value: 1.5, time: 7 },
          { labels: {}, value: undefined },
          { labels: {}, value: 0 },
        ],
      },
      { ...family, name: 'empty', samples: [] },
    ]),
  ).toBe('# HELP m h\n# TYPE m gauge\nm{a="quote \\" and \\\\ and\\nline",b=""} 1.5 7\nm 0\n');
});
