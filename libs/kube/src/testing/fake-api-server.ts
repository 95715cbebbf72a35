import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface ReceivedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: unknown;
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

/** An HTTP server on loopback that answers as a test says, with a kubeconfig for it. */
export class FakeApiServer {
  readonly requests: ReceivedRequest[] = [];
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #server: http.Server;
  /** Replace it to change how requests are answered. */
  answer: Answer;

  private constructor(server: http.Server, answer: Answer) {
    this.#server = server;
    this.answer = answer;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'fake-api-'));
    this.kubeconfig = path.join(this.#folder, 'config');
    this.writeKubeconfig({ token: 'secret-one' });
  }

  static async start(answer: Answer = (_, response) => sendJson(response, 200, {})): Promise<FakeApiServer> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new FakeApiServer(server, answer);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://fake');
        const text = Buffer.concat(chunks).toString();
        const received = {
          method: request.method ?? '',
          path: url.pathname,
          query: url.searchParams,
          headers: request.headers,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        };
        fake.requests.push(received);
        fake.answer(received, response);
      });
    });
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get folder(): string {
    return this.#folder;
  }

  writeKubeconfig(user: object, cluster: object = {}): void {
    const config = {
      clusters: [{ name: 'c', cluster: { server: this.url, ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
      'current-context': 'x',
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config));
  }

  /** Cuts every open connection, as a crash would. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message = 'refused by the test',
): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
