import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.ts';
import { isNamed, type SuiteOptions } from './suite.ts';

/** What the command line says is wrong about itself. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Arguments {
  readonly suite: SuiteOptions;
  readonly junit: string | undefined;
  readonly json: string | undefined;
}

export const help = `Proves that a sidecar, or an API in front of one, keeps the Interlink contract.

Usage: conformance (--url URL | --socket PATH) [options]

  --url URL            http://host:port or https://host:port
  --socket PATH        a unix socket
  --leg LEG            sidecar (default) or api: which side of the contract the target speaks
  --profile PROFILE    full, classic or auto (default): classic where GET /capabilities answers 404
  --image IMAGE        a runnable image with sh (default busybox:1.35)
  --key-file FILE      holds the bearer key
  --ca FILE            the CA that signed the target's certificate
  --cert FILE          a client certificate, with its
  --key FILE           private key
  --owner OWNER        CLUSTER-UID/NODE-NAME for which pods are created (default a random one)
  --only ID...         only these rows: ids, sections, core or extensions
  --junit FILE         write the result as JUnit XML
  --json FILE          write the result as JSON
  --timeout SECONDS    for one row (default 60; more for a busy batch system)
  --help

All that it creates it deletes again, also when interrupted. Rows that were skipped have proved nothing.
Exit codes: 0 no row failed and one at least passed, 1 a row failed or the target does not answer, 2 wrong usage.`;

const text = { type: 'string' } as const;
const options = {
  ...{
    url: text,
    socket: text,
    leg: text,
    profile: text,
    image: text,
    owner: text,
    timeout: text,
    junit: text,
    json: text,
  },
  ...{ 'key-file': text, ca: text, cert: text, key: text },
  only: { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const;

/** Undefined where only the help is asked for. @throws UsageError */
export function parseArguments(args: readonly string[]): Arguments | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const { url, socket, image, owner, cert, ca, key, only } = values;
  if (positionals.length > 0 && only === undefined) throw new UsageError(`unexpected: ${positionals.join(' ')}`);
  if ((url === undefined) === (socket === undefined)) throw new UsageError('give either --url or --socket');
  if (url !== undefined && !/^https?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--url ${url}: expected http(s)://host:port`);
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together');
  const keyFile = values['key-file'];
  const tls = { ...file('ca', ca), ...file('cert', cert), ...file('key', key) };
  return {
    junit: values.junit,
    json: values.json,
    suite: {
      endpoint: url ?? `unix://${socket}`,
      leg: oneOf('leg', values.leg ?? 'sidecar', ['sidecar', 'api']),
      profile: oneOf('profile', values.profile ?? 'auto', ['full', 'classic', 'auto']),
      timeoutMs: seconds(values.timeout ?? '60') * 1000,
      ...(image === undefined ? {} : { image }),
      ...(owner === undefined ? {} : { owner }),
      ...(keyFile === undefined ? {} : { key: read('key-file', keyFile).trim() }),
      ...(Object.keys(tls).length === 0 ? {} : { tls }),
      ...(only === undefined ? {} : { only: rows([...only, ...positionals]) }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`--${name} ${value}: expected ${allowed.join(', ')}`);
  return found;
}

function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 86_400)) throw new UsageError(`--timeout ${value}: expected seconds`);
  return number;
}

function rows(names: readonly string[]): string[] {
  const wanted = names.flatMap((name) => name.split(','));
  const unknown = wanted.filter((name) => !cases.some((one) => isNamed(one, name)));
  if (unknown.length > 0) {
    const sections = [...new Set(cases.map(({ section }) => section))];
    throw new UsageError(`--only ${unknown.join(' ')}: no such row; the sections are ${sections.join(', ')}`);
  }
  return wanted;
}

function file<K extends string>(name: K, path: string | undefined): { [key in K]?: string } {
  return (path === undefined ? {} : { [name]: read(name, path) }) as { [key in K]?: string };
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
