// node tools/bootstrap.mjs ENTRY [ARGUMENT...]
// Runs ENTRY with the project's own Node and packages, installing them first where they are not what the lock file says.
// Plain JavaScript without dependencies: this is what runs in a fresh clone, on whatever Node the machine has.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.interlink-lock');
const lockFile = join(root, 'package-lock.json');
const oldestNode = 20;
const heartbeatMs = 15_000;

const say = (line) => process.stderr.write(`${line}\n`);
const fail = (line) => {
  say(`interlink: ${line}`);
  process.exit(1);
};

/** Runs a command on our own terminal; resolves to its exit code. */
function run(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env });
    const forward = (signal) => {
      // Ctrl-C reaches the whole foreground group by itself, and many programs take a second one for "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const settle = (done) => {
      for (const signal of signals) process.off(signal, forward);
      done();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', (code, signal) => settle(() => resolve(code ?? 128 + constants.signals[signal])));
  });
}

/** An install made by hand leaves no stamp, but npm's own record of it says the same thing. */
function installedAsLocked() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  try {
    const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
    const locked = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
    return Object.entries(locked).every(([path, wanted]) => {
      if (path === '') return true;
      const found = installed[path];
      return found
        ? found.version === wanted.version && found.integrity === wanted.integrity
        : wanted.optional === true;
    });
  } catch {
    return false;
  }
}

async function install() {
  say('interlink: installing the packages of package-lock.json (npm ci; one to three minutes the first time)');
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  // On a terminal npm draws its own progress.
  const heartbeat = process.stderr.isTTY
    ? undefined
    : setInterval(() => say(`interlink: still installing, ${seconds()} s`), heartbeatMs);
  try {
    const code = await run('npm', ['ci', '--include=dev', '--prefix', root], process.env);
    if (code !== 0) fail(`npm ci failed with exit code ${code}; its messages are above`);
  } catch (error) {
    fail(error.code === 'ENOENT' ? 'npm is not on PATH; install Node with npm' : `cannot run npm: ${error.message}`);
  } finally {
    clearInterval(heartbeat);
  }
  say(`interlink: installed in ${seconds()} s`);
}

async function main() {
  const [entry, ...args] = process.argv.slice(2);
  if (entry === undefined) fail('usage: node tools/bootstrap.mjs ENTRY [ARGUMENT...]');
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    fail(`Node ${oldestNode} or newer is needed to start; this is ${process.version}`);
  }
  if (!existsSync(lockFile)) fail('package-lock.json is missing; is this a whole checkout?');

  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const node = join(bin, 'node');
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : undefined;
  if (installed !== wanted || !existsSync(node)) {
    if (!existsSync(node) || !installedAsLocked()) await install();
    if (!existsSync(node)) {
      fail("npm ci put no Node into node_modules/.bin; are npm's install scripts or optional packages switched off?");
    }
    writeFileSync(stamp, `${wanted}\n`);
  }

  const env = { ...process.env, PATH: bin + delimiter + (process.env.PATH ?? '') };
  process.exitCode = await run(node, [entry, ...args], env);
}

main().catch((error) => fail(error.message));
