import { podSchema, type Pod } from '@interlink/contract';
import { jobKey, type Job, type JobPayload } from '@interlink/sidecar-kit';
import { noVolumeRules } from '../volumes/volume-rules.ts';
import { PodFacts, type ContainerFact } from '../facts.ts';

/** Nothing beyond what every site has. */
export const siteDefaults = {
  allow: { hostNetwork: false, hostPID: false, hostIPC: false, privileged: false },
  clusterDNS: [],
  clusterDomain: 'cluster.local',
  devices: {},
  volumes: noVolumeRules,
};

/** A Pod as its kube-apiserver hands it out; what is not given is at its default. */
export function makePod(spec: Record<string, unknown> = {}): Pod {
  return podSchema.parse({
    metadata: { name: 'pod', namespace: 'ns', uid: 'u' },
    spec: { containers: [{ name: 'main', image: 'busybox:1' }], ...spec },
  });
}

export function makeJob(spec: Record<string, unknown> = {}, payload: Partial<JobPayload> = {}): Job {
  const pod = makePod(spec);
  const { uid } = pod.metadata;
  return {
    owner: 'c/n',
    uid,
    id: jobKey('c/n', uid).slice(0, 16),
    pod,
    payload: { pod, configMaps: [], secrets: [], projected: [], pullSecrets: [], expandEnv: true, ...payload },
    startTime: '2026-01-01T00:00:00.000Z',
    lastStatus: undefined,
  };
}

export const startOfTime = Date.parse('2026-01-01T00:00:00Z');
/** RFC 3339, some seconds after the start of time. */
export const at = (seconds: number): string => new Date(startOfTime + seconds * 1000).toISOString();

export function makeFact(fields: Partial<ContainerFact>): ContainerFact {
  const { role = 'main', name = 'main', attempt = 0 } = fields;
  return {
    id: `${role}-${name}-${attempt}`,
    job: 'j',
    role,
    name,
    attempt,
    nextDelaySeconds: 0,
    state: 'running',
    startedAt: at(0),
    finishedAt: undefined,
    createdAt: at(0),
    exitCode: 0,
    oomKilled: false,
    error: '',
    imageId: 'sha256:1',
    image: '',
    messagesSource: '',
    ip: '',
    gateway: '',
    limits: { Memory: 0, MemorySwap: 0, CpuQuota: 0, CpuShares: 2 },
    devices: '',
    ...fields,
  };
}

export const sandbox = (fields: Partial<ContainerFact> = {}): ContainerFact =>
  makeFact({ role: 'sandbox', name: '', ip: '172.17.0.2', gateway: '172.17.0.1', ...fields });
export const exited = (exitCode: number, fields: Partial<ContainerFact> = {}): ContainerFact =>
  makeFact({ state: 'exited', exitCode, finishedAt: at(5), ...fields });

export function factsOf(...all: ContainerFact[]): PodFacts {
  const facts = new PodFacts();
  for (const fact of all) facts.put(fact);
  return facts;
}
