import { networkInterfaces } from 'node:os';
import { parseOwner } from '@interlink/contract';
import type { KubeClient } from '@interlink/kube';
import { z } from 'zod';

const namespaceSchema = z.looseObject({ metadata: z.looseObject({ uid: z.string() }) });

/**
 * Owner of all that this node submits: the cluster (UID of its kube-system namespace) and the node. A rebuilt cluster
 * or a wrong kubeconfig is another owner, and can never touch these jobs.
 */
export async function ownerOf(client: KubeClient, nodeName: string, signal: AbortSignal): Promise<string> {
  const { metadata } = await client.get({ path: '/api/v1/namespaces/kube-system', signal, schema: namespaceSchema });
  return parseOwner(`${metadata.uid}/${nodeName}`);
}

/** The first address of this machine that others can reach, else loopback. */
export function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address ?? '127.0.0.1';
}
