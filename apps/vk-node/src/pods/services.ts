import { InterlinkError, type Pod } from '@interlink/contract';
import { isForbidden, Reflector, type KubeClient } from '@interlink/kube';
import { serviceEnv, type ServiceAddress } from '@interlink/pod-model';
import type { Logger } from '@interlink/service-kit';
import { z } from 'zod';
import { StillWaiting } from './submitter.ts';

/** Of a Service, only what variables are made of: there may be thousands. */
const serviceSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string(), resourceVersion: z.string() }),
  spec: z.object({
    clusterIP: z.string().nullish(),
    ports: z
      .array(z.object({ name: z.string().nullish(), port: z.number(), protocol: z.string().nullish() }))
      .nullish(),
  }),
});

type Service = z.infer<typeof serviceSchema>;

/** The cluster's services, for the variables that every container gets. */
export class Services {
  readonly #reflector: Reflector<Service>;
  #forbidden = false;

  constructor(client: KubeClient, log: Logger) {
    const nothing = () => undefined;
    this.#reflector = new Reflector({
      client,
      path: '/api/v1/services',
      schema: serviceSchema,
      handlers: { added: nothing, modified: nothing, deleted: nothing, synced: nothing },
      onError: (err) => {
        this.#forbidden = isForbidden(err.cause);
        log.warn({ err }, 'the services cannot be watched');
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#reflector.run(signal);
  }

  /** @throws StillWaiting until all services have been read once, and InterlinkError Denied when they may not be. */
  envOf(pod: Pod): Record<string, string> {
    if (!this.#reflector.hasSynced) {
      if (this.#forbidden)
        throw new InterlinkError(
          'Denied',
          'vk-node may not list services: allow list and watch in its role, or set serviceEnvironment: false',
        );
      throw new StillWaiting('services have not yet been read at least once');
    }
    return serviceEnv(pod, [...this.#reflector.store.values()].map(addressOf));
  }
}

function addressOf({ metadata, spec }: Service): ServiceAddress {
  const ports = (spec.ports ?? []).map(({ name, port, protocol }) => ({
    name: name ?? '',
    port,
    protocol: protocol || 'TCP',
  }));
  return { namespace: metadata.namespace, name: metadata.name, clusterIP: spec.clusterIP ?? '', ports };
}
