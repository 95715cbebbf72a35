/** Where a batch of pods goes. */
export interface PodPlace {
  readonly namespace: string;
  readonly nodeName: string;
}

/** On a real engine: ends with code 0 when told to (USR1 by the bench, TERM by a delete), never by itself. */
const script = 'trap "exit 0" TERM USR1; while :; do sleep 3600 & wait; done';

export function podName(batch: string, index: number): string {
  return `${batch}-${index}`;
}

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

/** An ordinary pod, bound already: what is measured is the node, not the scheduler. */
export function podManifest(name: string, { namespace, nodeName }: PodPlace): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'interlink-bench' } },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'main',
          image: 'busybox:1.35',
          command: ['sh', '-c', script],
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          resources: { requests: { cpu: '1m', memory: '1Mi' } },
        },
      ],
    },
  };
}
