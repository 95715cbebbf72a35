import { InterlinkError, type LogRequest } from '@interlink/contract';

type LogOptions = LogRequest['Opts'];

/** Go's zero time, on the wire the same as none. */
const noTime = '0001-01-01T00:00:00Z';
const integerShape = /^[+-]?\d+$/;
const timeShape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i;

/**
 * The query of /containerLogs as a log request of the contract, held to the rules that Kubernetes has for PodLogOptions.
 * @throws InterlinkError Malformed
 */
export function logOptionsOf(query: URLSearchParams): LogOptions {
  const tailLines = integer(query, 'tailLines', 0);
  const limitBytes = integer(query, 'limitBytes', 1);
  const sinceSeconds = integer(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime') || undefined;
  if (sinceTime !== undefined && (!timeShape.test(sinceTime) || Number.isNaN(Date.parse(sinceTime)))) {
    throw invalid('sinceTime', sinceTime, 'must be a time such as 2030-01-31T12:00:00Z');
  }
  if (sinceTime !== undefined && sinceSeconds !== undefined) {
    throw new InterlinkError('Malformed', 'at most one of sinceTime or sinceSeconds may be specified');
  }
  const stream = query.get('stream') ?? 'All';
  if (stream !== 'All')
    throw invalid('stream', stream, 'only All is supported: the log does not tell the streams apart');
  return {
    Tail: tailLines ?? 0,
    ...(tailLines === undefined ? {} : { TailLines: tailLines }),
    Bytes: limitBytes ?? 0,
    Timestamps: flag(query, 'timestamps'),
    Follow: flag(query, 'follow'),
    Previous: flag(query, 'previous'),
    SinceSeconds: sinceSeconds ?? 0,
    SinceTime: sinceTime ?? noTime,
  };
}

function integer(query: URLSearchParams, field: string, least: number): number | undefined {
  const text = query.get(field);
  if (text === null) return undefined;
  const value = Number(text);
  if (!integerShape.test(text) || !Number.isSafeInteger(value)) throw invalid(field, text, 'must be a whole number');
  if (value < least)
    throw invalid(field, text, `must be ${least === 0 ? 'greater than or equal to' : 'greater than'} 0`);
  return value;
}

/** As Kubernetes reads a flag: only `0`, `false` and absence mean no. */
function flag(query: URLSearchParams, field: string): boolean {
  const text = query.get(field);
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

function invalid(field: string, value: string, what: string): InterlinkError {
  return new InterlinkError('Malformed', `${field}: invalid value "${value.slice(0, 100)}": ${what}`, { field });
}
