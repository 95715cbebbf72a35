import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { cacheDir } from '../cache.ts';
import { freePorts } from '../ports.ts';
import { startProcess } from '../process.ts';
import { TestbedError } from '../testbed-error.ts';
import { waitFor } from '../wait-for.ts';
import { unpackedProgram } from './debian-package.ts';
import { drain } from './import-image.ts';

/** The one who may pull and push; the registry knows the password by its bcrypt hash alone. */
const user = { username: 'alice', password: 'alice-secret' };
const passwordHash = '$2y$05$abcdefghijklmnopqrstuup1/nBU3/nS1R5KhY7gI8I.G.mQcJR.S';

export interface Registry {
  /** Images of it are `HOST/name:tag`. Engines trust plain HTTP on loopback. */
  readonly host: string;
  readonly user: { readonly username: string; readonly password: string };
  /** Puts an image of the engine into the registry, and leaves nothing of that name on the engine. @returns its name. */
  push(docker: Docker, image: string, name: string): Promise<string>;
  stop(): Promise<void>;
}

/** A real registry (the distribution project's) on loopback, which lets in nobody without a password. */
export async function startRegistry(dir: string, cache: string = cacheDir()): Promise<Registry> {
  const program = await findProgram(cache);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [port] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  const htpasswd = join(dir, 'htpasswd');
  await writeFile(htpasswd, `${user.username}:${passwordHash}\n`, { mode: 0o600 });
  const config = join(dir, 'config.yaml');
  const content = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(dir, 'images') } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'test', path: htpasswd } },
  };
  // JSON is YAML too.
  await writeFile(config, JSON.stringify(content));
  const server = await startProcess({
    name: 'registry',
    argv: [program, 'serve', config],
    logFile: join(dir, 'registry.log'),
  });
  try {
    await waitFor('the registry to answer', () => answers(`http://${host}/v2/`), {
      timeoutMs: 15_000,
      process: server,
    });
  } catch (error) {
    await server.stop(5_000);
    throw error;
  }
  return {
    host,
    user,
    push: (docker, image, name) => push(docker, image, `${host}/${name}`),
    async stop() {
      await server.stop(5_000);
    },
  };
}

async function findProgram(cache: string): Promise<string> {
  const installed = '/usr/bin/docker-registry';
  if (existsSync(installed)) return installed;
  const program = await unpackedProgram('docker-registry', ['usr/bin/docker-registry'], cache);
  if (program === undefined) throw new TestbedError('there is no docker-registry here; install it (Debian has it)');
  return program;
}

async function push(docker: Docker, image: string, name: string): Promise<string> {
  const colon = name.lastIndexOf(':');
  await docker.getImage(image).tag({ repo: name.slice(0, colon), tag: name.slice(colon + 1) });
  const progress = await docker.getImage(name).push({ authconfig: { ...user, serveraddress: name.split('/', 1)[0] } });
  await drain(docker, name, progress);
  await docker.getImage(name).remove();
  return name;
}

/** A 401 is an answer too. */
async function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 401);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.end();
  });
}
