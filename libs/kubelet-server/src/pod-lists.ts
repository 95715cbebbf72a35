import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler, Response } from 'express';
import type { Pod } from '@interlink/contract';
import type { KubeletProvider } from './provider.ts';

/** The kubelet's own, and with its slash at the end. */
export const podsPath = '/pods';
export const runningPodsPath = '/runningpods/';

/** All pods of the node, as the API server has them. */
export function pods(provider: KubeletProvider): RequestHandler {
  return (_request, response) => sendList(response, provider.pods());
}

/** What runs: identities and images alone. */
export function runningPods(provider: KubeletProvider): RequestHandler {
  return (_request, response) => sendList(response, provider.pods().flatMap(running));
}

/** Pod by pod: the whole text of ten thousand would be there at once. */
async function sendList(response: Response, items: readonly object[]): Promise<void> {
  response.type('application/json');
  // A client that leaves in the middle has ended it itself.
  await pipeline(Readable.from(listText(items)), response).catch(() => undefined);
}

function* listText(items: readonly object[]): Generator<string> {
  yield '{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[';
  let separator = '';
  for (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',';
  }
  yield ']}';
}

function running({ metadata: { name, namespace, uid }, status }: Pod): object[] {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const containers = statuses
    .filter(({ state }) => state?.running)
    .map((container) => ({ name: container.name, image: container.image, resources: {} }));
  return containers.length === 0 ? [] : [{ metadata: { name, namespace, uid }, spec: { containers }, status: {} }];
}
