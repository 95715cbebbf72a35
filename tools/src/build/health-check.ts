import { readFileSync } from 'node:fs';
import { request as requestPlain, type RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';
import { parse } from 'yaml';

/**
 * `node health.mjs [PATH]` in an image: exit code 0 if the service of $INTERLINK_CONFIG answers 200 to PATH (default
 * /healthz) on its first listener, else 1 with the reason. It runs every few seconds, so it loads next to nothing.
 */
const deadlineMs = 4_000;
const [path = '/healthz'] = process.argv.slice(2);

try {
  const address = firstAddress(process.env.INTERLINK_CONFIG);
  const { status, text } = await get(address, path);
  if (status === 200) process.stdout.write(`${text}\n`);
  else fail(`${address} answers ${status} to ${path}: ${text}`);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

function firstAddress(file: string | undefined): string {
  if (!file) throw new Error('INTERLINK_CONFIG names no configuration; name it there and not by --config');
  const config: unknown = parse(readFileSync(file, 'utf8'));
  const listen: unknown = isRecord(config) ? config.listen : undefined;
  const first: unknown = Array.isArray(listen) ? listen[0] : undefined;
  if (!isRecord(first) || typeof first.address !== 'string') throw new Error(`${file} has no listen[0].address`);
  return first.address;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function get(address: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { ...target(address), path, signal: AbortSignal.timeout(deadlineMs) };
    const request = address.startsWith('https:') ? requestTls : requestPlain;
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text = (text + chunk).slice(0, 1000)));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.once('error', (cause) => reject(new Error(`${address} does not answer: ${cause.message}`, { cause })));
    call.end();
  });
}

function target(address: string): RequestOptions & { rejectUnauthorized?: boolean } {
  if (address.startsWith('unix://')) return { socketPath: address.slice('unix://'.length) };
  const { hostname, port, protocol } = new URL(address);
  const host = { '0.0.0.0': '127.0.0.1', '[::]': '::1' }[hostname] ?? hostname.replace(/^\[|\]$/g, '');
  // Our own process on our own machine: its certificate names the outside, and nothing secret is asked.
  return { host, port: port || (protocol === 'https:' ? 443 : 80), rejectUnauthorized: false };
}

function fail(reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}
