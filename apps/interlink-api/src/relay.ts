import type {
  CallContext,
  ClientCall,
  ContractClient,
  ContractHandlers,
  CreateRequest,
  StreamRelay,
} from '@interlink/contract';
import { relayEvents, type EventSource } from './relay-events.ts';
import { splitCreate } from './split-create.ts';

export interface RelayOptions extends Omit<EventSource, 'client'> {
  readonly client: ContractClient;
  /** `<service>/<version>` of this API, for capabilities. */
  readonly server: string;
  /** Aborts when the service stops, which ends event streams. */
  readonly stopping: AbortSignal;
}

/** The API's side of the contract, answered by one sidecar. Nothing is kept between requests. */
export function createRelay(options: RelayOptions): ContractHandlers<CreateRequest> & StreamRelay {
  const { client, site, server, stopping } = options;
  return {
    create: (request, call) => client.create(splitCreate(request), change(call)),
    delete: (pod, call) => client.delete(pod, change(call)),
    update: (request, call) => client.update(request, change(call)),
    status: async (pods, call) => {
      const asked = new Set(pods.map(({ metadata }) => metadata.uid));
      const statuses = await client.status(pods, read(call));
      // Only what was asked for: a plugin that tells more must not show one owner the pods of another.
      return statuses.filter(({ UID }) => asked.has(UID)).map((status) => ({ ...status, site }));
    },
    ping: (call) => client.ping(read(call)),
    logs: (request, call) => client.logs(request, read(call)),
    stats: (call) => client.stats(read(call)),
    openStream: (route, query, key, call) => client.openStream(route, query, key, read(call)),
    capabilities: async (call) => ({ ...(await client.capabilities(read(call))), server, site }),
    events: (cursor, { owner, session, signal }) =>
      relayEvents(options, cursor, { owner, session, signal: AbortSignal.any([signal, stopping]) }),
  };
}

function read({ owner, session, signal }: CallContext): ClientCall {
  return { owner, session, signal };
}

/** Not cut when the caller hangs up: half a create at a classic plugin is a job whose id nobody has learnt. */
function change({ owner, session }: CallContext): ClientCall {
  return { owner, session };
}
