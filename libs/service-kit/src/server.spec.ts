import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { authenticate, ownerOf } from './caller.ts';
import { listenSchema } from './listen.ts';
import { createLogger } from './log.ts';
import { startServer, type RunningServer } from './server.ts';
import { ask } from './testing/ask.ts';
import { testCertificate } from './testing/certificates.ts';
import { createScratch } from './testing/scratch.ts';
import { readTls, reloadTls } from './tls-files.ts';

const scratch = createScratch();
afterAll(() => scratch.remove());

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });
const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const whoami = (request: IncomingMessage, response: ServerResponse) => {
  authenticate(request)
    .then(({ name }) => response.end(`${name} for ${ownerOf(request)}`))
    .catch((thrown: unknown) => {
      response.statusCode = 400;
      response.end(String(Reflect.get(thrown as object, 'code')));
    });
};

async function start(
  listener: unknown,
  app = whoami,
  drainMs = 2000,
): Promise<{ server: RunningServer; address: string }> {
  const server = await startServer({ listen: listenSchema.parse([listener]), app, log, drainMs });
  servers.push(server);
  return { server, address: server.addresses[0] ?? '' };
}

describe('unix socket', () => {
  const path = `${scratch.folder}/s.sock`;
  const address = `unix://${path}`;

  it('is private, and its callers act for the default owner or a stated one', async () => {
    await start({ address });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await ask(address, '/')).text).toBe('unix for classic');
    expect((await ask(address, '/', { headers: { 'interlink-owner': 'c1/n1' } })).text).toBe('unix for c1/n1');
    expect((await ask(address, '/', { headers: { 'interlink-owner': 'no good' } })).text).toBe('Malformed');
  });

  it('holds its callers to the configured owners', async () => {
    await start({ address, owners: ['c1/n1'] });
    expect((await ask(address, '/')).text).toBe('unix for c1/n1');
    expect((await ask(address, '/', { headers: { 'interlink-owner': 'c1/n2' } })).text).toBe('Denied');
  });

  it('replaces the socket of a dead process', async () => {
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', leave]);
    expect(existsSync(path)).toBe(true);
    await start({ address });
    expect((await ask(address, '/')).status).toBe(200);
  });

  it('does not touch the socket of a live process, nor another kind of file', async () => {
    const other = createServer().listen(path);
    await expect(start({ address })).rejects.toThrow(`another process listens on ${address}: stop it`);
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => other.close(resolve));
    scratch.write('s.sock', 'precious');
    await expect(start({ address })).rejects.toThrow('is not a socket');
    rmSync(path);
  });
});

describe('bearer keys', () => {
  const good = 'k'.repeat(40);
  const listener = (keyFile: string) => ({
    address: 'http://127.0.0.1:0',
    keys: [{ name: 'vk-a', keyFile, owners: ['c1/n1', 'c1/n2'] }],
  });
  const bearer = (key: string, owner?: string) => ({
    headers: { authorization: `Bearer ${key}`, ...(owner === undefined ? {} : { 'interlink-owner': owner }) },
  });

  it('lets in who has the key, for its owners only', async () => {
    const { address } = await start(listener(scratch.write('key', `${good}\n`)));
    expect((await ask(address, '/', bearer(good))).text).toBe('vk-a for c1/n1');
    expect((await ask(address, '/', bearer(good, 'c1/n2'))).text).toBe('vk-a for c1/n2');
    expect((await ask(address, '/', bearer(good, 'c2/n1'))).text).toBe('Denied');
    expect((await ask(address, '/', bearer(`${good}k`))).text).toBe('Unauthenticated');
    expect((await ask(address, '/')).text).toBe('Unauthenticated');
  });

  it('follows the key file: a new key counts at once, a removed one no more', async () => {
    const keyFile = scratch.write('rotating', good);
    const { address } = await start(listener(keyFile));
    renameSync(scratch.write('next', 'n'.repeat(40)), keyFile);
    expect((await ask(address, '/', bearer(good))).text).toBe('Unauthenticated');
    expect((await ask(address, '/', bearer('n'.repeat(40)))).text).toBe('vk-a for c1/n1');
    rmSync(keyFile);
    expect((await ask(address, '/', bearer('n'.repeat(40)))).text).toBe('Unauthenticated');
  });

  it('refuses key files that others can read, that are missing, or that are too short', async () => {
    await expect(start(listener(scratch.write('open', good, 0o644)))).rejects.toThrow('chmod 600');
    await expect(start(listener(`${scratch.folder}/none`))).rejects.toThrow('does not exist');
    await expect(start(listener(scratch.write('short', 'abc')))).rejects.toThrow('at least 16 characters');
  });
});

describe('https', () => {
  const ca = testCertificate('spec-ca', []);
  const stranger = testCertificate('other-ca', []);
  const serverCert = testCertificate('server', ['IP:127.0.0.1'], ca);
  const tls = {
    certFile: scratch.write('tls.crt', serverCert.cert),
    keyFile: scratch.write('tls.key', serverCert.key),
    clientCaFile: scratch.write('ca.crt', ca.cert),
  };
  const clients = [
    { name: 'by-dns', san: 'DNS:vk.example', owners: ['*'] },
    { name: 'by-uri', san: 'URI:spiffe://x/vk', owners: ['*'] },
  ];

  it('knows a client by a name in its certificate, signed by the right CA', async () => {
    const { address } = await start({ address: 'https://127.0.0.1:0', tls, clients });
    const as = async (sans: string[], issuer = ca) => {
      const { cert, key } = testCertificate('client', sans, issuer);
      return (await ask(address, '/', { ca: ca.cert, cert, key })).text;
    };
    expect(await as(['DNS:vk.example'])).toBe('by-dns for classic');
    expect(await as(['DNS:x', 'URI:spiffe://x/vk'])).toBe('by-uri for classic');
    expect(await as(['DNS:*.example'])).toBe('Unauthenticated');
    expect(await as(['DNS:vk.example'], stranger)).toBe('Unauthenticated');
    expect((await ask(address, '/', { ca: ca.cert })).text).toBe('Unauthenticated');
    await expect(ask(address, '/', { ca: ca.cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
  });

  it('takes up renewed certificates, and keeps the old ones while the new do not fit together', async () => {
    const files = {
      certFile: scratch.write('renewed.crt', serverCert.cert),
      keyFile: scratch.write('renewed.key', serverCert.key),
    };
    const https = createTlsServer(await readTls(files), (_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(https, 'listening');
    const stopReload = reloadTls(https, files, log, 20);
    const { port } = https.address() as AddressInfo;
    const serves = async (issuer: { cert: string }) =>
      ask(`https://127.0.0.1:${port}`, '/', { ca: issuer.cert }).then(
        () => true,
        () => false,
      );
    await delay(100);
    const renewed = testCertificate('server', ['IP:127.0.0.1'], stranger);
    scratch.write('renewed.crt', renewed.cert);
    await delay(100);
    expect(await serves(ca)).toBe(true);
    scratch.write('renewed.key', renewed.key);
    await delay(200);
    expect([await serves(stranger), await serves(ca)]).toEqual([true, false]);
    stopReload();
    await new Promise((resolve) => https.close(resolve));
  });

  it('refuses a certificate that does not belong to its key', async () => {
    const keyFile = scratch.write('wrong.key', stranger.key);
    const listener = { address: 'https://127.0.0.1:0', tls: { ...tls, keyFile }, clients };
    await expect(start(listener)).rejects.toThrow('not a usable certificate and its key');
  });
});

describe('startServer', () => {
  const address = `unix://${scratch.folder}/d.sock`;

  it('opens all listeners or none', async () => {
    const { address: taken } = await start({
      address: 'http://127.0.0.1:0',
      keys: [{ name: 'a', keyFile: scratch.write('k2', 'k'.repeat(20)), owners: ['*'] }],
    });
    const both = [
      { address },
      { address: taken, keys: [{ name: 'a', keyFile: `${scratch.folder}/k2`, owners: ['*'] }] },
    ];
    await expect(startServer({ listen: listenSchema.parse(both), app: whoami, log })).rejects.toThrow(
      'the address is in use',
    );
    expect(existsSync(`${scratch.folder}/d.sock`)).toBe(false);
  });

  it('lets requests in flight end, and cuts those that outlast the bound', async () => {
    const slow = (request: IncomingMessage, response: ServerResponse) => {
      response.write('begin ');
      setTimeout(() => response.end('end'), request.url === '/long' ? 60_000 : 150).unref();
    };
    const { server } = await start({ address }, slow, 400);
    const short = ask(address, '/short', { headers: { connection: 'keep-alive' } });
    const long = ask(address, '/long').catch((error: unknown) => String(error));
    await delay(50);
    const begin = performance.now();
    await server.stop();
    expect(performance.now() - begin).toBeLessThan(2000);
    expect((await short).text).toBe('begin end');
    expect(await long).toMatch(/aborted|hang up|ECONNRESET/);
    await expect(ask(address, '/')).rejects.toThrow();
  });

  it('answers 400 to what is not HTTP', async () => {
    await start({ address });
    const socket = connect(address.slice('unix://'.length));
    socket.end('nonsense\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(Buffer.from(chunk as Uint8Array));
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 /);
  });
});
