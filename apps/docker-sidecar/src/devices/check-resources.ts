import type { Container, Pod } from '@interlink/contract';
import { podLevelResources, podLimits, toInteger } from '@interlink/pod-model';
import { isEmpty, refuse } from '../check-table.ts';

type Resources = Container['resources'];

/** @throws InterlinkError Invalid for resources that this site has not got, or never so many of. */
export function checkResources(pod: Pod, devices: Readonly<Record<string, number>>): void {
  checkNames(podLevelResources(pod), 'spec.resources', {});
  for (const [list, containers] of [
    ['containers', pod.spec.containers],
    ['initContainers', pod.spec.initContainers ?? []],
  ] as const) {
    containers.forEach(({ resources }, index) => checkNames(resources, `spec.${list}[${index}].resources`, devices));
  }
  const limits = podLimits(pod);
  for (const [resource, total] of Object.entries(devices)) {
    const wanted = limits[resource];
    if (wanted !== undefined && toInteger(wanted) > BigInt(total))
      refuse(
        `spec.containers[0].resources.limits.${resource}`,
        `the pod asks for ${toInteger(wanted)}, it has ${total}`,
      );
  }
}

function checkNames(resources: Resources, where: string, devices: Readonly<Record<string, number>>): void {
  if (!isEmpty(resources?.['claims'])) refuse(`${where}.claims`, 'it has no dynamic resource allocation');
  const known = ['cpu', 'memory', ...Object.keys(devices)];
  for (const list of ['limits', 'requests'] as const) {
    for (const name of Object.keys(resources?.[list] ?? {})) {
      // A request is for the scheduler alone.
      if (known.includes(name) || (list === 'requests' && name === 'ephemeral-storage')) continue;
      refuse(`${where}.${list}.${name}`, `it has ${known.join(', ')}`);
    }
  }
}
