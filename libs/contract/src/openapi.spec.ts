import { errorCatalogue } from './errors.ts';
import { openApiDocument } from './openapi.ts';
import { routes, type Leg, type Route } from './routes.ts';

interface Operation {
  operationId: string;
  'x-interlink-extension': boolean;
  parameters: object[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { content: Record<string, { schema: Record<string, unknown> }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

const documentOf = (leg: Leg) =>
  // As a reader gets it: what is not JSON would be lost here.
  JSON.parse(JSON.stringify(openApiDocument(leg, { title: 't', version: '1' }))) as Document;

function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner;
    else yield* refsIn(inner);
  }
}

const resolve = (document: unknown, ref: string): unknown =>
  ref
    .split('/')
    .slice(1)
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);

describe.each<Leg>(['api', 'sidecar'])('the OpenAPI document of the %s', (leg) => {
  const document = documentOf(leg);

  it('is 3.1 and has every route of this leg, and no other', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const table: Route[] = Object.values(routes);
    const expected = table.flatMap(({ path, method }) => (method[leg] ? [`${method[leg]} ${path}`] : []));
    const found = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    expect(found.sort()).toEqual(expected.sort());
    expect(found).toContain(leg === 'api' ? 'delete /delete' : 'post /delete');
  });

  it('has no reference that leads nowhere', () => {
    const refs = [...refsIn(document)];
    expect(refs.length).toBeGreaterThan(0);
    expect(refs.filter((ref) => !ref.startsWith('#/') || resolve(document, ref) === undefined)).toEqual([]);
  });

  it('describes bodies, the one success and every error', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const route = Object.values(routes).find((one) => one.path === path);
      for (const operation of Object.values(item)) {
        const success = route?.reply.type === 'websocket' ? '101' : '200';
        expect(Object.keys(operation.responses).filter((code) => /^[12]/.test(code))).toEqual([success]);
        for (const { status } of Object.values(errorCatalogue)) expect(operation.responses).toHaveProperty(`${status}`);
        const types = Object.keys(operation.responses['200']?.content ?? {});
        expect(types).toEqual(success === '101' ? [] : [route?.reply.type]);
      }
    }
    expect(document.paths['/exec']?.['get']?.parameters).toEqual(
      expect.arrayContaining([
        { name: 'command', in: 'query', required: true, schema: expect.objectContaining({ type: 'array' }) },
        { name: 'tty', in: 'query', required: false, schema: expect.objectContaining({ enum: ['true', 'false'] }) },
      ]),
    );
    const body = document.paths['/create']?.['post']?.requestBody?.content['application/json']?.schema;
    expect(Object.keys(body?.['properties'] ?? {})).toEqual(
      expect.arrayContaining(leg === 'api' ? ['pod', 'projectedvolumesmaps'] : ['pod', 'container']),
    );
    // Unknown fields of a Pod are welcome, and defaults are not demanded of the caller.
    expect(body).toMatchObject({ required: ['pod'], additionalProperties: {} });
  });
});
