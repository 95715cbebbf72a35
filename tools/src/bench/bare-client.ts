import { KubeClient } from '@interlink/kube';

export interface BareRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

const timeoutMs = 60_000;
type Access = Awaited<ReturnType<KubeClient['access']>>;

/** The API server over a connection pool and nothing else, so that what is measured beside it is not this client's own cost. */
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
    const { origin, basePath, headers, pool } = this.#access;
    const answer = await pool.request({
      origin,
      path: basePath + path,
      method,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.body.text();
    if (answer.statusCode < 300) return text;
    throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
  }
}
