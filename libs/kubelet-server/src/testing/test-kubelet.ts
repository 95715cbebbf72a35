import { Readable } from 'node:stream';
import { InterlinkError, podSchema } from '@interlink/contract';
import { createLogger, createMetrics } from '@interlink/service-kit';
import type { AccessAttributes } from '../access-attributes.ts';
import type { KubeletProvider, LogsCall } from '../provider.ts';
import { startKubeletServer, type KubeletServer } from '../server.ts';
import type { KubeletTls } from '../tls-listener.ts';
import type { User } from '../user.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });

/** The one pod. */
export const pod = podSchema.parse({
  metadata: { namespace: 'ns', name: 'pod', uid: 'u1' },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'busybox' }] },
  status: {
    phase: 'Running',
    startTime: '2030-01-01T00:00:00Z',
    containerStatuses: [
      {
        name: 'c',
        image: 'busybox:1',
        containerID: 'docker://abc',
        state: { running: { startedAt: '2030-01-01T00:00:00Z' } },
      },
    ],
  },
});

/** A kubelet of node n1 on loopback with the one pod ns/pod; what stands behind it can be changed at any time. */
export interface TestKubelet {
  readonly server: KubeletServer;
  readonly port: number;
  /** What the authorizer was asked. */
  readonly asked: { user: User; subresource: string }[];
  /** What the provider was asked. */
  readonly calls: LogsCall[];
  mayDo: (access: AccessAttributes) => boolean;
  logs: KubeletProvider['logs'];
  exec: KubeletProvider['exec'];
  attach: KubeletProvider['attach'];
  portForward: KubeletProvider['portForward'];
  stats: KubeletProvider['stats'];
}

export async function startTestKubelet(tls: KubeletTls, port = 0): Promise<TestKubelet> {
  const asked: TestKubelet['asked'] = [];
  const calls: LogsCall[] = [];
  const server = await startKubeletServer({
    nodeName: 'n1',
    host: '127.0.0.1',
    port,
    tls,
    provider: {
      pods: () => [pod],
      findPod: (namespace, name) => (namespace === 'ns' && name === 'pod' ? pod : undefined),
      exec: (call, signal) => kubelet.exec(call, signal),
      attach: (call, signal) => kubelet.attach(call, signal),
      portForward: (call, signal) => kubelet.portForward(call, signal),
      stats: (signal) => kubelet.stats(signal),
      logs: (call, signal) => {
        calls.push(call);
        return kubelet.logs(call, signal);
      },
    },
    authenticateToken: (token) =>
      token === 'broken'
        ? Promise.reject(new InterlinkError('Unavailable', 'the API server cannot be asked'))
        : Promise.resolve(token === 'good' ? { name: 'prometheus', groups: ['g'] } : undefined),
    authorize: (user, access) => {
      asked.push({ user, subresource: access.subresource });
      return Promise.resolve({ allowed: kubelet.mayDo(access) });
    },
    log,
    metrics: createMetrics({ processMetrics: false }),
    drainMs: 300,
  });
  const kubelet: TestKubelet = {
    server,
    port: server.port,
    asked,
    calls,
    mayDo: () => true,
    logs: () => Promise.resolve(Readable.from(['one\n', 'two\n'])),
    exec: unasked,
    attach: unasked,
    portForward: unasked,
    stats: unasked,
  };
  return kubelet;
}

const unasked = () => Promise.reject(new InterlinkError('Internal', 'the test did not expect to be asked this'));
