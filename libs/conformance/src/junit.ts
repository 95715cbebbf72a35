import type { Result, Row } from './result.ts';

/** The result as JUnit XML, for CI systems. */
export function toJunit({ rows, failed, skipped, startedAt }: Result): string {
  const seconds = rows.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const counts = `tests="${rows.length}" failures="${failed}" skipped="${skipped}" time="${seconds}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="interlink conformance" ${counts} timestamp="${startedAt}">`,
    ...rows.map(testCase),
    '</testsuite>',
    '',
  ].join('\n');
}

function testCase({ id, title, section, outcome, reason = '', ms }: Row): string {
  const open = `  <testcase classname="${escape(section)}" name="${escape(`${id}: ${title}`)}" time="${ms / 1000}"`;
  if (outcome === 'passed') return `${open}/>`;
  return `${open}><${outcome === 'failed' ? 'failure' : 'skipped'} message="${escape(reason)}"/></testcase>`;
}

function escape(text: string): string {
  // XML 1.0 has no way at all to write control characters.
  // eslint-disable-next-line no-control-regex
  const printable = text.replaceAll(/[\u0000-\u001f\u007f\ufffe\uffff]/g, ' ');
  return printable.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
