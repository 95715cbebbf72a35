/** Requests that a service has made so far, by `peer route` (its metrics). */
export type RequestCounts = ReadonlyMap<string, number>;

/** What was made between two looks; what was not is left out. */
export function madeBetween(before: RequestCounts, after: RequestCounts): Map<string, number> {
  const made = new Map<string, number>();
  for (const [request, count] of after) {
    const news = count - (before.get(request) ?? 0);
    if (news !== 0) made.set(request, news);
  }
  return made;
}

export function total(counts: RequestCounts, peer: string): number {
  let sum = 0;
  for (const [request, count] of counts) if (request.startsWith(`${peer} `)) sum += count;
  return sum;
}

const kubePeer = 'kube-apiserver ';
/** Heartbeats and the node are not a pod's cost. */
const notOfPods = /(^| )(leases|nodes|nodes\/status|namespaces)$/;

/** Requests to the kube-apiserver because of pods, by `METHOD resource`, most first. */
export function kubeRequestsOfPods(counts: RequestCounts): [request: string, count: number][] {
  return [...counts]
    .filter(([request]) => request.startsWith(kubePeer) && !notOfPods.test(request))
    .map(([request, count]): [string, number] => [request.slice(kubePeer.length), count])
    .sort(([, one], [, other]) => other - one);
}
