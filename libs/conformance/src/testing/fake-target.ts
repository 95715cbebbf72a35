import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export interface FakeAnswer {
  readonly status?: number;
  /** Text, or anything else as JSON. */
  readonly body: unknown;
}

export type Answering = (path: string, body: string) => FakeAnswer;

/** A server on a unix socket that answers as the spec says, and keeps what it was asked. */
export class FakeTarget {
  readonly requests: { readonly path: string; readonly body: string }[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  readonly socket = join(this.#folder, 's');
  readonly #server: Server;

  private constructor(answering: Answering) {
    this.#server = createServer((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (chunk: string) => (body += chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const path = request.url ?? '';
        this.requests.push({ path, body });
        const answer = answering(path, body);
        response.statusCode = answer.status ?? 200;
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
      });
    });
  }

  static async start(answering: Answering): Promise<FakeTarget> {
    const target = new FakeTarget(answering);
    await new Promise<void>((resolve) => target.#server.listen(target.socket, resolve));
    return target;
  }

  get endpoint(): string {
    return `unix://${this.socket}`;
  }

  /** UIDs of all pods that were asked for at this path. */
  uids(path: '/create' | '/delete'): Set<string> {
    const bodies = this.requests.filter((request) => request.path === path).map(({ body }) => body);
    return new Set(bodies.flatMap((body) => /"uid":"([^"]+)"/.exec(body)?.[1] ?? []));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true });
  }
}

const podSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), uid: z.string() }),
  spec: z.looseObject({ containers: z.array(z.looseObject({ command: z.array(z.string()) })) }),
});

/** As interLink's own plugins are: the core endpoints alone. A pod's script has ended at once, or sleeps. */
export function classicPlugin(changes: Partial<Record<string, (body: string) => FakeAnswer>> = {}): Answering {
  const jobs = new Map<string, z.infer<typeof podSchema>>();
  const status = ({ metadata, spec }: z.infer<typeof podSchema>) => {
    const script = spec.containers[0]?.command[2] ?? '';
    const exitCode = Number(/^exit (\d+)/.exec(script)?.[1] ?? 0);
    const state = script.startsWith('sleep') ? { running: {} } : { terminated: { exitCode } };
    return {
      ...{ name: metadata.name, namespace: metadata.namespace, UID: metadata.uid, JID: '1' },
      containers: [{ name: 'main', state }],
    };
  };
  const endpoints: Record<string, (body: string) => FakeAnswer> = {
    '/create': (body) => {
      const { pod } = z.looseObject({ pod: podSchema }).parse(JSON.parse(body));
      jobs.set(pod.metadata.uid, pod);
      return { body: { PodUID: pod.metadata.uid, PodJID: '1' } };
    },
    '/status': (body) => {
      const asked = z.array(podSchema).parse(JSON.parse(body));
      return { body: asked.flatMap(({ metadata }) => jobs.get(metadata.uid) ?? []).map(status) };
    },
    '/delete': (body) => {
      jobs.delete(podSchema.parse(JSON.parse(body)).metadata.uid);
      return { body: 'deleted' };
    },
    '/getLogs': () => ({ body: 'prologue of the plugin\nconformance-line\n' }),
  };
  return (path, body) => {
    try {
      return (changes[path] ?? endpoints[path])?.(body) ?? { status: 404, body: '404 page not found' };
    } catch (error) {
      return { status: 500, body: String(error) };
    }
  };
}
