import { Readable } from 'node:stream';
import { InterlinkError } from '@interlink/contract';
import { createLogger, createMetrics } from '@interlink/service-kit';
import type { AccessAttributes } from '../access-attributes.ts';
import type { LogsCall } from '../provider.ts';
import { startKubeletServer, type KubeletServer } from '../server.ts';
import type { KubeletTls } from '../tls-listener.ts';
import type { User } from '../user.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });

/** A kubelet of node n1 on loopback with the one pod ns/pod; what stands behind it can be changed at any time. */
export interface TestKubelet {
  readonly server: KubeletServer;
  readonly port: number;
  /** What the authorizer was asked. */
  readonly asked: { user: User; subresource: string }[];
  /** What the provider was asked. */
  readonly calls: LogsCall[];
  mayDo: (access: AccessAttributes) => boolean;
  logs: (call: LogsCall, signal: AbortSignal) => Promise<Readable>;
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
      findPod: (namespace, name) => (namespace === 'ns' && name === 'pod' ? { uid: 'u1' } : undefined),
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
  };
  return kubelet;
}
