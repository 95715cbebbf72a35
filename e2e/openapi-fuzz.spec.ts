import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureSchemathesis, freePorts, runCommand, type Service } from '@interlink/testbed';
import { startWorld, type World } from './support/world.ts';

/** How long each service is tried; the long run is left to npm run test:all. */
const seconds = process.env.INTERLINK_E2E === 'slow' ? 240 : 15;
const key = 'fuzz-key-of-this-test-alone';

/** Requests made up from our own OpenAPI documents: no crash, no 5xx, no answer that the document does not know. */
describe('requests made up from the OpenAPI document', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('fuzz');
  });
  afterAll(() => world.stop());

  it.each(['api', 'sidecar'] as const)(
    'do no harm: %s',
    async (part) => {
      const program = await ensureSchemathesis();
      const service = world.chain[part];
      const url = await listenOnTcp(service, world.chain.dir);
      const { code, stdout, stderr } = await runCommand(
        [
          program,
          'run',
          `${url}/openapi.json`,
          '--header',
          `Authorization: Bearer ${key}`,
          '--checks',
          'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance',
          // The coverage phase overruns Python's own parser on schemas as deep as a Pod's.
          '--phases',
          'fuzzing',
          // A stream without an end, and a look at it is no use.
          '--exclude-path',
          '/events',
          '--max-time',
          String(seconds),
          '--request-timeout',
          '20',
          '--workers',
          '2',
          '--warnings',
          'off',
          '--no-color',
        ],
        { timeoutMs: (seconds + 120) * 1000, cwd: world.chain.dir },
      );
      if (code !== 0) console.error(`${stdout.slice(-6_000)}\n${stderr.slice(-2_000)}`);
      expect(code).toBe(0);
      // It got past the door: a run that was refused at each request would pass as well.
      const answered = await answersByStatus(service);
      expect(answered.get('401') ?? 0).toBe(0);
      expect((answered.get('400') ?? 0) + (answered.get('422') ?? 0)).toBeGreaterThan(20);
      expect((await service.get('/healthz')).status).toBe(200);
    },
    (seconds + 180) * 1000,
  );
});

async function listenOnTcp(service: Service, dir: string): Promise<string> {
  const [port = 0] = await freePorts(1);
  const keyFile = join(dir, `${service.name}.key`);
  await writeFile(keyFile, key, { mode: 0o600 });
  const address = `http://127.0.0.1:${port}`;
  await service.stop();
  service.listenAlso({ address, keys: [{ name: 'fuzz', keyFile, owners: ['*'] }] });
  await service.start();
  return address;
}

async function answersByStatus(service: Service): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const { text } = await service.get('/metrics');
  for (const [, status = '', count] of text.matchAll(
    /^interlink_http_requests_seconds_count\{.*status="(\d+)".*\} (\d+)/gm,
  )) {
    counts.set(status, (counts.get(status) ?? 0) + Number(count));
  }
  return counts;
}
