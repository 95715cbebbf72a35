/** One metric of Prometheus' text format. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: not known, and left out. */
  readonly value: number | undefined;
  /** Of the measurement, ms since the epoch; without, it counts as made now. */
  readonly time?: number | undefined;
}

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** Families without a sample are left out, as Prometheus' own libraries do. */
export function exposition(families: readonly Family[]): string {
  return families.map(textOf).join('');
}

function textOf({ name, type, help, samples }: Family): string {
  const lines = samples.flatMap(({ labels, value, time }) => {
    if (value === undefined) return [];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    const selector = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    return [`${name}${selector} ${value}${time === undefined ? '' : ` ${time}`}\n`];
  });
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
