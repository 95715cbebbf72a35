import http from 'node:http';
import https from 'node:https';
import { KubeClient } from '@interlink/kube';

export interface BareRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

const timeoutMs = 60_000;
type Access = Awaited<ReturnType<KubeClient['access']>>;

/** The API server over node:https and nothing else, so that what is measured beside it is not this client's own cost. */
export class BareClient {
  readonly #access: Access;

  private constructor(access: Access) {
    this.#access = access;
  }

  static async open(kubeconfig: string): Promise<BareClient> {
    return new BareClient(await KubeClient.load({ kubeconfig }).access());
  }

  /** The answer's body. Fails for any status of 300 and more. */
  async send({ method, path, body, contentType = 'application/json' }: BareRequest): Promise<string> {
    const { server, headers, pool: agent } = this.#access;
    const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const content = data === undefined ? {} : { 'Content-Type': contentType, 'Content-Length': data.length };
    const send = server.startsWith('http:') ? http.request : https.request;
    return new Promise((resolve, reject) => {
      const options = { method, agent, headers: { Accept: 'application/json', ...headers, ...content } };
      const request = send(server + path, { ...options, timeout: timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if ((response.statusCode ?? 0) < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 500)}`));
        });
      });
      request.once('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)));
      request.once('error', reject);
      request.end(data);
    });
  }
}
