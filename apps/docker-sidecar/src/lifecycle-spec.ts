import type { ContainerCreateOptions } from 'dockerode';
import type { ContainerFact, PodFacts } from './facts.ts';
import { messageMount } from './hooks/termination-message.ts';
import { label } from './labels.ts';
import type { StartSpec } from './plan.ts';
import { careFor } from './probes/settings.ts';

/** Adds to a container what its later life needs: image as named, stop signal, message file, whose processes it sees. */
export function withLifecycle(
  spec: ContainerCreateOptions,
  { role, container, attempt }: StartSpec,
  sandbox: ContainerFact,
  facts: PodFacts,
): ContainerCreateOptions {
  const { stopSignal } = careFor(container);
  const target = role === 'ephemeral' ? targetOf(container['targetContainerName'], facts) : undefined;
  const mounts = [...(spec.HostConfig?.Mounts ?? []), ...messageMount(sandbox, container, attempt)];
  return {
    ...spec,
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    Labels: { ...spec.Labels, [label.image]: container.image ?? '' },
    HostConfig: {
      ...spec.HostConfig,
      Mounts: mounts,
      ...(target === undefined ? {} : { PidMode: `container:${target.id}` }),
    },
  };
}

function targetOf(name: unknown, facts: PodFacts): ContainerFact | undefined {
  if (typeof name !== 'string' || name === '') return undefined;
  return facts.attempts('main', name).latest ?? facts.attempts('init', name).latest;
}
