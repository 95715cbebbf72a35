/** The object an Event is about. */
export interface InvolvedObject {
  apiVersion: string;
  kind: string;
  /** Undefined for an object of the cluster. */
  namespace?: string | undefined;
  name: string;
  uid: string;
  /** A part of it, e.g. `spec.containers{main}`. */
  fieldPath?: string | undefined;
}

export interface EventFacts {
  involved: InvolvedObject;
  type: 'Normal' | 'Warning';
  /** CamelCase, for machines. */
  reason: string;
  /** For people. */
  message: string;
  component: string;
  host: string;
  /** Makes the name of the Event unique. */
  suffix: string;
  count: number;
  first: Date;
  last: Date;
}

export interface EventBody {
  metadata: { name: string; namespace: string };
  count: number;
  lastTimestamp: string;
  [field: string]: unknown;
}

/** The longest name an object may have is 253; the suffix has its share. */
const maxNameLength = 200;

/** Events about objects of the cluster live in `default`. */
export function eventNamespace({ involved }: EventFacts): string {
  return involved.namespace ?? 'default';
}

export function eventPath(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/events${name === undefined ? '' : `/${name}`}`;
}

export function eventBody(facts: EventFacts): EventBody {
  const { involved, type, reason, message, component, host, count } = facts;
  const stem = involved.name.slice(0, maxNameLength).replace(/[^a-z0-9]+$/, '');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${stem}.${facts.suffix}`, namespace: eventNamespace(facts) },
    involvedObject: involved,
    type,
    reason,
    message,
    source: { component, host },
    reportingComponent: component,
    reportingInstance: host,
    firstTimestamp: seconds(facts.first),
    lastTimestamp: seconds(facts.last),
    count,
  };
}

/** A Time of the API has whole seconds. */
function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
