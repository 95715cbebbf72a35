import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor, type Service } from '@interlink/testbed';
import { open, openFiles, post, residentMiB, send, type Target } from './support/hostile.ts';
import { createPod, podEnded, startWorld, type World } from './support/world.ts';

/** The services' own bound on a body. */
const bodyLimit = 16 * 1024 * 1024;
const connections = 2_000;
const heapGrowthMiB = 250;

describe('input that means harm', () => {
  let world: World;
  const targets = new Map<string, { target: Target; service: Service; hasBody: boolean }>();
  beforeAll(async () => {
    world = await startWorld('hostile');
    const { chain, cluster } = world;
    const { stdout } = await cluster.kubectl([
      'get',
      'node',
      chain.nodeName,
      '-o',
      'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}',
    ]);
    targets.set('interlink-api', { target: { path: chain.api.socketPath }, service: chain.api, hasBody: true });
    targets.set('docker-sidecar', {
      target: { path: chain.sidecar.socketPath },
      service: chain.sidecar,
      hasBody: true,
    });
    targets.set('kubelet port', { target: { port: Number(stdout), tls: true }, service: chain.vkNode, hasBody: false });
  });
  afterAll(() => world.stop());

  /** Each ends with the service alive, no file left open, and its memory where it was, give or take. */
  const attack = (name: string, run: (target: Target, hasBody: boolean) => Promise<void>, timeoutMs?: number) =>
    it.each(['interlink-api', 'docker-sidecar', 'kubelet port'])(
      `${name}: %s`,
      async (which) => {
        const one = targets.get(which);
        if (one?.service.pid === undefined) throw new Error(`no target ${which}`);
        const { target, service, hasBody } = one;
        const pid = one.service.pid;
        const before = { memory: await residentMiB(pid), files: await openFiles(pid) };
        await run(target, hasBody);
        expect((await service.get('/healthz')).status).toBe(200);
        await waitFor('connections to be closed', async () => (await openFiles(pid)) <= before.files + 30, {
          timeoutMs: 30_000,
          intervalMs: 200,
        });
        expect((await residentMiB(pid)) - before.memory).toBeLessThan(heapGrowthMiB);
        expect(service.pid).toBe(pid);
      },
      timeoutMs,
    );

  attack('garbage instead of HTTP', async (target) => {
    for (let round = 0; round < 30; round++)
      expect(await send(target, randomBytes(512), 5_000)).toMatch(/^(HTTP\/1\.1 400|closed)$/);
    for (const text of [
      'GET',
      '\r\n\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'POST /create HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
    ]) {
      expect(await send(target, text, 1_500)).toMatch(/^(HTTP\/1\.1 4\d\d|closed|silent)$/);
    }
    const both = 'POST /create HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await send(target, both)).toMatch(/^(HTTP\/1\.1 4\d\d|closed)$/);
  });

  attack('huge headers', async (target) => {
    expect(await send(target, post('/create', '{}', { 'X-Big': 'x'.repeat(64 * 1024) }))).toMatch(
      /^(HTTP\/1\.1 4\d\d|closed)$/,
    );
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`X-${index}`, 'y']));
    expect(await send(target, post('/create', '{}', many))).toMatch(/^(HTTP\/1\.1 4\d\d|closed)$/);
  });

  attack('deep JSON and wrong shapes', async (target, hasBody) => {
    const depth = 200_000;
    const bodies = [
      `${'['.repeat(depth)}${']'.repeat(depth)}`,
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      'null',
      '"text"',
      '[]',
      '[null]',
      '{"pod":null}',
      '{"pod":{"metadata":{"name":"a","uid":"u"},"spec":{"containers":[]}}}',
      '{"__proto__":{"polluted":true},"pod":1}',
      '{"metadata":{"name":5}}',
    ];
    for (const path of ['/create', '/delete', '/getLogs', '/update']) {
      for (const body of bodies)
        expect(`${path} ${await send(target, post(path, body))}`).toMatch(/ HTTP\/1\.1 4\d\d$/);
    }
    const status = await send(target, post('/status', '{"a":1}'));
    expect(status).toBe(hasBody ? 'HTTP/1.1 400' : 'HTTP/1.1 401');
  });

  attack('a body of 20 MiB', async (target, hasBody) => {
    const body = JSON.stringify({ pod: 'x'.repeat(20 * 1024 * 1024) });
    expect(Buffer.byteLength(body)).toBeGreaterThan(bodyLimit);
    for (let round = 0; round < 5; round++) {
      expect(await send(target, post('/create', body))).toMatch(
        hasBody ? /^(HTTP\/1\.1 413|closed)$/ : /^(HTTP\/1\.1 401|closed)$/,
      );
    }
  });

  attack('bodies that break off', async (target) => {
    for (let round = 0; round < 200; round++) {
      const socket = await open(target);
      socket.write(post('/create', '{"pod":', { 'Content-Length': '100000' }));
      if (round % 10 === 0) await sleep(5);
      socket.destroy();
    }
  });

  attack(`${connections} connections that say nothing`, async (target) => {
    const sockets = await Promise.all(Array.from({ length: connections }, () => open(target).catch(() => undefined)));
    // Others are served meanwhile.
    expect(await send(target, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 (200|401)$/,
    );
    for (const socket of sockets) socket?.destroy();
  });

  attack(
    'a request that never ends (slow loris)',
    async (target) => {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => open(target)));
      let closed = 0;
      for (const socket of sockets) {
        socket.once('close', () => closed++);
        // What nobody reads keeps a socket from closing.
        socket.resume();
      }
      for (const socket of sockets) socket.write('POST /create HTTP/1.1\r\nHost: x\r\n');
      for (let second = 0; second < 25 && closed < sockets.length; second++) {
        for (const socket of sockets) if (!socket.destroyed) socket.write(`X-${second}: y\r\n`);
        await sleep(1_000);
      }
      expect(closed).toBe(sockets.length);
    },
    60_000,
  );

  it('leaves a chain that works', async () => {
    await createPod(world, { name: 'after', script: 'true' });
    expect((await podEnded(world, 'after')).status?.phase).toBe('Succeeded');
  });
});
