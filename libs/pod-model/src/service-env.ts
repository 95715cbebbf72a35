import { isIPv6 } from 'node:net';
import type { Pod } from '@interlink/contract';

/** What of a Service variables are made of. */
export interface ServiceAddress {
  readonly namespace: string;
  readonly name: string;
  /** Empty or `None`: it has no variables. */
  readonly clusterIP: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

/**
 * The variables by which containers of the pod find services, as the kubelet gives them: those of default/kubernetes
 * always, those of the pod's own namespace unless enableServiceLinks is false.
 */
export function serviceEnv(pod: Pod, services: Iterable<ServiceAddress>): Record<string, string> {
  const seen = new Map<string, ServiceAddress>();
  const links = pod.spec.enableServiceLinks ?? true;
  for (const service of services) {
    const { namespace, name, clusterIP } = service;
    if (clusterIP === '' || clusterIP === 'None') continue;
    if (namespace === 'default' && name === 'kubernetes') {
      if (!seen.has(name)) seen.set(name, service);
    } else if (namespace === pod.metadata.namespace && links) seen.set(name, service);
  }
  return Object.fromEntries([...seen.values()].flatMap(variablesOf));
}

function variablesOf({ name, clusterIP, ports }: ServiceAddress): [string, string][] {
  const prefix = variableName(name);
  const [first] = ports;
  if (first === undefined) return [];
  const named = ports.filter((port) => port.name !== '');
  return [
    [`${prefix}_SERVICE_HOST`, clusterIP],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named.map((port): [string, string] => [`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]),
    [`${prefix}_PORT`, url(clusterIP, first)],
    ...ports.flatMap((port): [string, string][] => {
      const start = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
      return [
        [start, url(clusterIP, port)],
        [`${start}_PROTO`, port.protocol.toLowerCase()],
        [`${start}_PORT`, String(port.port)],
        [`${start}_ADDR`, clusterIP],
      ];
    }),
  ];
}

function url(ip: string, { port, protocol }: { port: number; protocol: string }): string {
  return `${protocol.toLowerCase()}://${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
