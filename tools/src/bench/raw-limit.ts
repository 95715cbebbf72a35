import { setTimeout as sleep } from 'node:timers/promises';
import { podSchema, type Pod, type PodStatus } from '@interlink/contract';
import { KubeClient, NodeLease } from '@interlink/kube';
import { statusPatch, toKubeStatus } from '@interlink/pod-model';
import { z } from 'zod';
import { BareClient } from './bare-client.ts';
import { podManifest, podName, podsPath } from './bench-pod.ts';
import { helperConfig, now, serveParent } from './helper-process.ts';
import { inFlight } from './in-flight.ts';

/**
 * What the kube-apiserver can take: the writes that bring a pod to Running on our node (create, token, accept patch,
 * status patch, Event), by one client without watch, queue or site. Its node serves nobody, but must exist and look
 * alive: else the controller manager removes the pods or marks them.
 */
const { kubeconfig, namespace, nodeName, concurrency } = helperConfig(
  z.object({ kubeconfig: z.string(), namespace: z.string(), nodeName: z.string(), concurrency: z.number() }),
);
const client = await BareClient.open(kubeconfig);
const pods = podsPath(namespace);
const heartbeatMs = 10_000;

const end = new AbortController();
let alive: ReturnType<typeof keepNodeAlive> | undefined;
const batch = z.object({ batch: z.string(), count: z.number() });
const requestSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('prepare') }),
  batch.extend({ do: z.literal('create') }),
  batch.extend({ do: z.literal('delete') }),
]);

serveParent(requestSchema, async (request) => {
  switch (request.do) {
    case 'prepare':
      alive = keepNodeAlive(end.signal);
      return alive.ready;
    case 'create': {
      const startedAt = now();
      const runningAt: number[] = [];
      await inFlight(request.count, concurrency, async (index) => {
        await bringToRunning(podName(request.batch, index));
        runningAt[index] = now();
      });
      return { startedAt, runningAt };
    }
    case 'delete':
      await inFlight(request.count, concurrency, async (index) => {
        const path = `${pods}/${podName(request.batch, index)}`;
        await client.send({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } });
      });
      end.abort();
      await alive?.ended;
      return client.send({ method: 'DELETE', path: `/api/v1/nodes/${nodeName}` });
  }
});

async function bringToRunning(name: string): Promise<void> {
  const manifest = podManifest(name, { namespace, nodeName });
  // The cast-free way to a typed Pod costs the client a fraction of what the server needs for one write.
  const pod = podSchema.parse(JSON.parse(await client.send({ method: 'POST', path: pods, body: manifest })));
  const { uid } = pod.metadata;
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
  await client.send({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600, boundObjectRef },
    },
  });
  const tolerations = pod.spec.tolerations?.map(({ tolerationSeconds: _, ...rest }) => rest);
  await client.send({
    method: 'PATCH',
    path: `${pods}/${name}`,
    contentType: 'application/merge-patch+json',
    body: {
      metadata: { uid, annotations: { JobID: `job-${uid}`, 'interlink.eu/site': 'bench' } },
      spec: { tolerations },
    },
  });
  await client.send({
    method: 'PATCH',
    path: `${pods}/${name}/status`,
    contentType: 'application/strategic-merge-patch+json',
    body: { metadata: { uid }, status: statusPatch(pod, toKubeStatus(pod, runningStatus(pod), new Date())) },
  });
  await client.send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body: eventOf(pod) });
}

function runningStatus({ metadata: { name, namespace: of, uid }, spec }: Pod): PodStatus {
  const startTime = new Date().toISOString();
  const containers = spec.containers.map((container) => ({
    name: container.name,
    state: { running: { startedAt: startTime } },
    ready: true,
    started: true,
    restartCount: 0,
    image: container.image ?? '',
    imageID: '',
  }));
  return { name, namespace: of, UID: uid, JID: `job-${uid}`, phase: 'Running', startTime, containers };
}

function eventOf({ metadata: { name, uid } }: Pod): object {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${uid}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Normal',
    reason: 'Submitted',
    message: `submitted as job job-${uid} at site bench`,
    source: { component: 'interlink-bench', host: nodeName },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** A Node that is Ready, with its heartbeat, until the signal aborts. */
function keepNodeAlive(signal: AbortSignal): { ready: Promise<void>; ended: Promise<void> } {
  const lease = new NodeLease({ client: KubeClient.load({ kubeconfig }), nodeName });
  const made = makeNode();
  const beat = async () => {
    const uid = await made;
    while (!signal.aborted) {
      await sleep(heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await lease.renew(uid, signal).catch(() => undefined);
    }
  };
  return { ready: made.then((uid) => lease.renew(uid)), ended: beat() };
}

async function makeNode(): Promise<string> {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const node = await client.send({
    method: 'POST',
    path: '/api/v1/nodes',
    body: { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } },
  });
  const condition = { type: 'Ready', status: 'True', reason: 'Bench', message: '' };
  await client.send({
    method: 'PATCH',
    path: `/api/v1/nodes/${nodeName}/status`,
    contentType: 'application/strategic-merge-patch+json',
    body: { status: { conditions: [{ ...condition, lastHeartbeatTime: time, lastTransitionTime: time }] } },
  });
  return z.object({ metadata: z.object({ uid: z.string() }) }).parse(JSON.parse(node)).metadata.uid;
}
