import type { TestPod } from './test-pod.ts';

const zeroTime = '0001-01-01T00:00:00Z';

/** As interLink's virtual kubelet writes it: every option is there. */
export function logBody(pod: TestPod, opts: Record<string, unknown> = {}, container = 'main'): Record<string, unknown> {
  const defaults = { Tail: 0, Bytes: 0, Timestamps: false, Follow: false, Previous: false, SinceSeconds: 0 };
  return {
    Namespace: pod.namespace,
    PodUID: pod.uid,
    PodName: pod.name,
    ContainerName: container,
    Opts: { ...defaults, SinceTime: zeroTime, ...opts },
  };
}
