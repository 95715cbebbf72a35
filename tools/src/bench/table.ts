import type { Report } from './report.ts';

type Row = Report['figures'][number];

/** The report for people; with an earlier one, how many times as much each figure is now. */
export function renderTable(report: Report, earlier?: Report): string {
  const { machine, options, versions } = report;
  const lines = [
    `${options.pods} pods, backend ${options.backend}, ${options.runs} run(s), ${report.date}, commit ${report.commit}`,
    `node ${versions.node}, Kubernetes ${versions.kubernetes}, ${machine.cores} cores, ${machine.memoryGiB} GiB, load average ${machine.loadAverage} at the start`,
  ];
  if (earlier) lines.push(`compared with ${earlier.options.pods} pods of ${earlier.date}, commit ${earlier.commit}`);
  const width = Math.max(...report.figures.map(({ name }) => name.length)) + 4;
  let group: string | undefined;
  for (const row of report.figures) {
    if (row.group !== group) lines.push('', row.group);
    group = row.group;
    const cells = [`  ${row.name}`.padEnd(width), `${show(row.value)} ${row.unit}`.padStart(14), range(row)];
    if (earlier) cells.push(ratio(row, earlier));
    lines.push(cells.join('  ').trimEnd());
  }
  return lines.join('\n');
}

function range({ runs }: Row): string {
  if (runs.length < 2) return '';
  const sorted = runs.filter((value) => value !== null).sort((one, other) => one - other);
  return `${show(sorted[0])} to ${show(sorted.at(-1))}`.padEnd(18);
}

function ratio({ group, name, value }: Row, { figures }: Report): string {
  const then = figures.find((one) => one.group === group && one.name === name)?.value;
  if (value === null || then === null || then === undefined) return 'new';
  return then === 0 ? (value === 0 ? 'same' : 'was 0') : `${(value / then).toFixed(2)} x`;
}

/** Three figures that count. */
function show(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
