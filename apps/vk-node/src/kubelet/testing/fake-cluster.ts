import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { KubeClient } from '@interlink/kube';

/** Status and body of an answer. */
type Reply = readonly [status: number, body: unknown];

export interface FakeCluster {
  readonly client: KubeClient;
  /** For the files of the test. */
  readonly folder: string;
  /** Bodies that arrived, by `METHOD path`. */
  readonly received: Map<string, unknown[]>;
  /** What is answered, by `METHOD path`; anything else is 404. */
  readonly replies: Map<string, (body: unknown) => Reply>;
  write(name: string, text: string): string;
  stop(): Promise<void>;
}

/** An API server on loopback that knows only what a test tells it. */
export async function startFakeCluster(): Promise<FakeCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'vk-kubelet-'));
  const received: FakeCluster['received'] = new Map();
  const replies: FakeCluster['replies'] = new Map();
  const server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    const body = request.method === 'POST' ? json(request) : Promise.resolve(undefined);
    body
      .then((sent) => {
        received.set(name, [...(received.get(name) ?? []), sent]);
        const [status, reply] = replies.get(name)?.(sent) ?? [404, { kind: 'Status', code: 404, reason: 'NotFound' }];
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const kubeconfig = write('kubeconfig', kubeconfigFor((server.address() as AddressInfo).port));
  return {
    client: KubeClient.load({ kubeconfig }),
    folder,
    received,
    replies,
    write,
    stop: async () => {
      rmSync(folder, { recursive: true, force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function kubeconfigFor(port: number): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { token: 'vk' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
