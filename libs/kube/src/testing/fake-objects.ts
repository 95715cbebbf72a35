import type { ServerResponse } from 'node:http';
import { type ReceivedRequest, sendJson, sendStatus } from './fake-api-server.ts';

interface StoredObject {
  metadata: { name: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Objects by path, with the API server's rules for create and update: names are unique, versions must match. */
export class FakeObjects {
  readonly byPath = new Map<string, StoredObject>();
  #version = 0;

  answer(request: ReceivedRequest, response: ServerResponse): void {
    const body = request.body as StoredObject;
    if (request.method === 'POST') {
      const path = `${request.path}/${body.metadata.name}`;
      if (this.byPath.has(path)) return sendStatus(response, 409, 'AlreadyExists');
      return sendJson(response, 201, this.put(path, body));
    }
    const known = this.byPath.get(request.path);
    if (known === undefined) return sendStatus(response, 404, 'NotFound');
    if (request.method === 'GET') return sendJson(response, 200, known);
    if (request.method === 'PATCH')
      return sendJson(response, 200, this.put(request.path, { ...known, ...body, metadata: known.metadata }));
    if (body.metadata.resourceVersion !== known.metadata.resourceVersion) return sendStatus(response, 409, 'Conflict');
    return sendJson(response, 200, this.put(request.path, body));
  }

  put(path: string, object: StoredObject): StoredObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.byPath.set(path, stored);
    return stored;
  }
}
