import { isDeepStrictEqual } from 'node:util';
import { InterlinkError, type Container, type UpdateRequest } from '@interlink/contract';
import type { Backend } from './backend.ts';
import { toJob, type JobPayload, type JobRecord } from './job.ts';
import type { JobStore } from './job-store.ts';

const deadlineMs = 60_000;

/** Returns when the change is written down and the site has it. The same once more changes nothing. */
export async function updateJob(
  { store, backend }: { readonly store: JobStore; readonly backend: Backend },
  owner: string,
  request: UpdateRequest,
  signal: AbortSignal,
): Promise<void> {
  const { uid, name, namespace } = request.pod.metadata;
  await store.exclusive(owner, uid, async () => {
    const record = store.get(owner, uid);
    const what = `pod ${namespace}/${name} (${uid})`;
    if (record === undefined) throw new InterlinkError('NotFound', `${what} is not known here`);
    if (record.state !== 'accepted' || record.payload === undefined)
      throw new InterlinkError('Gone', `${what} was deleted here; it takes no updates any more`);
    const payload = updatedPayload(record.payload, request);
    const updated: JobRecord = { ...record, payload };
    const job = toJob(updated);
    if (job !== undefined && payload !== record.payload) {
      backend.check(job);
      // Durable: what the site shows must not fall back to older content after a restart.
      await store.put(updated);
    }
    if (job !== undefined && record.jobId !== '')
      await backend.update?.(job, AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]));
  });
}

type Named = { readonly metadata: { readonly name: string } };

/**
 * Pure: the payload with the update taken in, or the same object when nothing is new. Objects replace those of their
 * name; of the pod, metadata is taken as it is, and of the spec only what Kubernetes lets one change.
 */
export function updatedPayload(payload: JobPayload, request: UpdateRequest): JobPayload {
  const { pod } = payload;
  const { name, namespace, uid } = pod.metadata;
  const { containers, initContainers, ephemeralContainers } = request.pod.spec ?? {};
  const updated: JobPayload = {
    ...payload,
    pod: {
      ...pod,
      metadata: withoutUndefined({ ...pod.metadata, ...request.pod.metadata, name, namespace, uid }),
      spec: {
        ...pod.spec,
        containers: withChanges(pod.spec.containers, containers),
        ...(pod.spec.initContainers ? { initContainers: withChanges(pod.spec.initContainers, initContainers) } : {}),
        ...(ephemeralContainers ? { ephemeralContainers } : {}),
      },
    },
    configMaps: merged(payload.configMaps, request.configmaps),
    secrets: merged(payload.secrets, request.secrets),
    projected: merged(payload.projected, request.projectedvolumesmaps),
  };
  return isDeepStrictEqual(updated, payload) ? payload : updated;
}

/** Image and resources: the rest of a container never changes, and may have been resolved for the create. */
function withChanges(before: Container[], now: readonly Container[] | null | undefined): Container[] {
  return before.map((container) => {
    const news = now?.find(({ name }) => name === container.name);
    if (news === undefined) return container;
    return {
      ...container,
      ...(news.image ? { image: news.image } : {}),
      ...(news.resources ? { resources: news.resources } : {}),
    };
  });
}

function merged<T extends Named>(before: T[], now: readonly T[] | null | undefined): T[] {
  if (!now?.length) return before;
  const byName = new Map(before.map((object) => [object.metadata.name, object]));
  for (const object of now) byName.set(object.metadata.name, object);
  return [...byName.values()];
}

/** A key that is there without a value would be lost on the way to the spool and count as a change for ever. */
function withoutUndefined<T extends object>(object: T): T {
  for (const [key, value] of Object.entries(object)) if (value === undefined) Reflect.deleteProperty(object, key);
  return object;
}
