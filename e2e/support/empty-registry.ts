import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const docker = 'application/vnd.docker';
const digest = `sha256:${'0'.repeat(64)}`;
/** Of `torn:1`: what it names is not there. */
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: `${docker}.distribution.manifest.v2+json`,
  config: { mediaType: `${docker}.container.image.v1+json`, size: 2, digest },
  layers: [{ mediaType: `${docker}.image.rootfs.diff.tar.gzip`, size: 2, digest }],
});

/** An image registry on loopback that answers as one does that has no image at all, but half of `torn:1`. */
export class EmptyRegistry {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<EmptyRegistry> {
    const server = createServer(({ url }, response) => {
      if (url === '/v2/') response.end('{}');
      else if (url === '/v2/torn/manifests/1')
        response.setHeader('Content-Type', `${docker}.distribution.manifest.v2+json`).end(manifest);
      else response.writeHead(404).end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'unknown' }] }));
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen({ host: '127.0.0.1', port: 0 }, resolve),
    );
    return new EmptyRegistry(server);
  }

  /** Images of it are `HOST/name:tag`. Engines trust plain HTTP on loopback. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
