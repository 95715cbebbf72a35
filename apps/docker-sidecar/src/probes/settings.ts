import type { Container } from '@interlink/contract';
import { z } from 'zod';

const port = z.union([z.number(), z.string()]);
const httpGetSchema = z.looseObject({
  path: z.string().nullish(),
  port,
  host: z.string().nullish(),
  scheme: z.string().nullish(),
  httpHeaders: z.array(z.looseObject({ name: z.string(), value: z.string().default('') })).nullish(),
});
const actionFields = {
  exec: z.looseObject({ command: z.array(z.string()).nullish() }).nullish(),
  httpGet: httpGetSchema.nullish(),
  tcpSocket: z.looseObject({ port, host: z.string().nullish() }).nullish(),
  grpc: z.looseObject({ port: z.number(), service: z.string().nullish() }).nullish(),
};

/** A field that is absent or zero is at Kubernetes' default. */
const seconds = (byDefault: number) =>
  z
    .number()
    .nullish()
    .transform((value) => value || byDefault);

const probeSchema = z.looseObject({
  ...actionFields,
  initialDelaySeconds: seconds(0),
  periodSeconds: seconds(10),
  timeoutSeconds: seconds(1),
  successThreshold: seconds(1),
  failureThreshold: seconds(3),
  terminationGracePeriodSeconds: z.number().nullish(),
});

const handlerSchema = z.looseObject({
  exec: actionFields.exec,
  httpGet: actionFields.httpGet,
  tcpSocket: actionFields.tcpSocket,
  sleep: z.looseObject({ seconds: z.number() }).nullish(),
});

const careSchema = z.looseObject({
  startupProbe: probeSchema.nullish(),
  livenessProbe: probeSchema.nullish(),
  readinessProbe: probeSchema.nullish(),
  lifecycle: z
    .looseObject({
      postStart: handlerSchema.nullish(),
      preStop: handlerSchema.nullish(),
      stopSignal: z.string().nullish(),
    })
    .nullish(),
  ports: z.array(z.looseObject({ name: z.string().nullish(), containerPort: z.number() })).nullish(),
  terminationMessagePath: z.string().nullish(),
  terminationMessagePolicy: z.string().nullish(),
});

export type HttpGet = z.infer<typeof httpGetSchema>;
export type Probe = z.infer<typeof probeSchema>;
export type Handler = z.infer<typeof handlerSchema>;
export type ProbeKind = 'startup' | 'liveness' | 'readiness';

/** How a container wants to be looked after: its probes, hooks and last words. */
export interface Care {
  readonly probes: Readonly<Partial<Record<ProbeKind, Probe>>>;
  readonly postStart: Handler | undefined;
  readonly preStop: Handler | undefined;
  readonly stopSignal: string | undefined;
  readonly messagePath: string;
  readonly fallsBackToLogs: boolean;
  /** By name. */
  readonly ports: ReadonlyMap<string, number>;
}

const known = new WeakMap<Container, Care>();

/** @throws ZodError for a container that no kube-apiserver would have let through. */
export function careFor(container: Container): Care {
  let care = known.get(container);
  if (care === undefined) {
    care = parseCare(container);
    known.set(container, care);
  }
  return care;
}

function parseCare(container: Container): Care {
  const { startupProbe, livenessProbe, readinessProbe, lifecycle, ports, ...message } = careSchema.parse(container);
  return {
    probes: {
      ...(startupProbe ? { startup: startupProbe } : {}),
      ...(livenessProbe ? { liveness: livenessProbe } : {}),
      ...(readinessProbe ? { readiness: readinessProbe } : {}),
    },
    postStart: lifecycle?.postStart ?? undefined,
    preStop: lifecycle?.preStop ?? undefined,
    stopSignal: lifecycle?.stopSignal || undefined,
    messagePath: message.terminationMessagePath || '/dev/termination-log',
    fallsBackToLogs: message.terminationMessagePolicy === 'FallbackToLogsOnError',
    ports: new Map((ports ?? []).flatMap(({ name, containerPort }) => (name ? [[name, containerPort]] : []))),
  };
}

/** @returns undefined for a name that no port of the container has. */
export function portOf(port: number | string, ports: ReadonlyMap<string, number>): number | undefined {
  if (typeof port === 'number') return port;
  const number = /^\d+$/.test(port) ? Number(port) : ports.get(port);
  return number !== undefined && number > 0 && number < 65536 ? number : undefined;
}
